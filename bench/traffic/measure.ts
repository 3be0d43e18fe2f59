import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../support/result.ts';
import { type Connections, connectionKinds, Load } from './load.ts';
import { lossesInWords, now, switchMs } from './losses.ts';

/** One way to bring version 2 in place of version 1, and to go back. */
export interface Contestant {
  /** `blue-green behind nginx`. */
  name: string;
  /** For whoever reads the rows by program: `{ strategy, proxy }` or `{ peer }`. */
  labels: Record<string, string>;
  /** The front door, where version 1 serves. */
  url: string;
  /** From 1 to 2. Gives when the switch itself began, ms since the epoch; null where there is none. */
  go(): Promise<number | null>;
  /** From 2 to 1. */
  back(): Promise<number | null>;
}

/** So that the load meets the new version, whatever told that it serves. */
const betweenMs = 500;

/** There and back under load, for each kind of clients; a line on stderr for each. */
export async function thereAndBack(contestant: Contestant): Promise<Row[]> {
  const rows: Row[] = [];
  for (const connections of connectionKinds) rows.push(await measured(contestant, connections));
  return rows;
}

export const nameOf = (contestant: string, connections: Connections): string =>
  `${contestant}, ${connections} connections`;

async function measured({ name, labels, url, go, back }: Contestant, connections: Connections): Promise<Row> {
  const started = now();
  const load = await Load.start(url, connections);
  try {
    const toldToGo = now();
    const went = await go();
    await sleep(betweenMs);
    const toldToGoBack = now();
    const wentBack = await back();
    const sent = await load.end();
    const forth = sent.filter(({ at }) => at < toldToGoBack);
    const row = {
      name: nameOf(name, connections),
      ...labels,
      connections,
      sent: sent.length,
      lost: sent.filter(({ lost }) => lost !== null).length,
      cutoverMs: switchMs(forth, { from: '1', to: '2', told: toldToGo, began: went }),
      backMs: switchMs(sent, { from: '2', to: '1', told: toldToGoBack, began: wentBack }),
    };
    const seconds = Math.round((now() - started) / 1_000);
    const { lost, cutoverMs, backMs } = row;
    console.error(
      `${row.name}: ${lost} of ${sent.length} lost (${lossesInWords(sent) || 'none'}), ` +
        `switched in ${cutoverMs} ms, back in ${backMs} ms; ${seconds} s`,
    );
    return row;
  } finally {
    load.kill();
  }
}

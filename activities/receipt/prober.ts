import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../workflows/runbook/checks.ts';
import { ask } from '../checks/ask.ts';

export type ProbeCounts = NonNullable<Receipt['probed']>;

export interface ProberInput {
  url: string;
  /** One request this often, ms, however long the ones before it take. */
  everyMs: number;
  forMs: number;
  /** Where the counts are written. */
  file: string;
}

const writeMs = 250;
/** An answer that takes longer is lost, ms. */
export const answerMs = 5_000;

/**
 * Asks again and again, each time on a connection of its own, until `signal` aborts or `forMs` are over; then waits for
 * the answers that are due. Writes its counts every 250 ms, whole or not at all; throws where that fails.
 */
export async function probeOnAndOn({ url, everyMs, forMs, file }: ProberInput, signal: AbortSignal): Promise<void> {
  const counts = createCounts();
  const asked = new Set<Promise<void>>();
  const until = performance.now() + forMs;
  const pulse = setInterval(() => {
    const answered: Promise<void> = ask(url, { timeoutMs: answerMs })
      .then(
        ({ status }) => counts.answer(status),
        () => counts.lost(),
      )
      .finally(() => asked.delete(answered));
    asked.add(answered);
  }, everyMs);
  try {
    while (!signal.aborted && performance.now() < until) {
      await write(file, counts.read());
      await sleep(writeMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    clearInterval(pulse);
  }
  await Promise.all(asked);
  await write(file, counts.read());
}

function createCounts() {
  const counts: ProbeCounts = { sent: 0, failed: 0, lost: 0, longestGapMs: 0 };
  let lastGood = performance.now();
  const gap = () => Math.max(counts.longestGapMs, Math.round(performance.now() - lastGood));
  return {
    answer(status: number): void {
      counts.sent += 1;
      if (status >= 500) {
        counts.failed += 1;
        return;
      }
      counts.longestGapMs = gap();
      lastGood = performance.now();
    },
    lost(): void {
      counts.sent += 1;
      counts.lost += 1;
    },
    /** An outage that still goes on counts too. */
    read: (): ProbeCounts => ({ ...counts, longestGapMs: gap() }),
  };
}

/** Not made again where its folder was removed: then nobody will ever read it. */
async function write(file: string, counts: ProbeCounts): Promise<void> {
  await writeFile(`${file}.tmp`, JSON.stringify(counts), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

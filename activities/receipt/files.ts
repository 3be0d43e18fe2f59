import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { Json } from '../../workflows/runbook/json.ts';

/** So many deploys' receipts are kept. */
const kept = 20;

/** The files of one deploy's receipt, in `<target's folder>/receipts`. */
export interface ReceiptFiles {
  folder: string;
  opened: string;
  closed: string;
  /** The prober's claim, what it prints, and what it counts; each name starts with `prober`. */
  prober: string;
  claim: string;
  log: string;
  counts: string;
}

export function filesOf(targetFolder: string, fence: number): ReceiptFiles {
  const folder = posix.join(targetFolder, 'receipts');
  const file = (end: string) => posix.join(folder, `${fence}.${end}`);
  return {
    folder,
    opened: file('json'),
    closed: file('closed.json'),
    prober: file('prober'),
    claim: file('prober.claim'),
    log: file('prober.log'),
    counts: file('prober.json'),
  };
}

/** null where there is no such file. */
export async function readJson<T>(host: HostPort, path: string): Promise<T | null> {
  const text = await host.read(path);
  return text === null ? null : JSON.parse(text);
}

export async function writeJson(host: HostPort, path: string, value: Json): Promise<void> {
  await host.write(path, `${JSON.stringify(value)}\n`);
}

/** Removes the files of all deploys but the newest. */
export async function forgetOld(host: HostPort, { folder }: ReceiptFiles): Promise<void> {
  const names = (await host.list(folder)).filter((name) => /^\d+\./.test(name));
  const fences = [...new Set(names.map((name) => Number.parseInt(name, 10)))].sort((one, other) => other - one);
  const old = new Set(fences.slice(kept));
  for (const name of names) if (old.has(Number.parseInt(name, 10))) await host.remove(posix.join(folder, name));
}

/**
 * Who may change a target: the newest deploy that claimed it. A claim is a file named by its fencing number,
 * `<folder>/fence/<number>.json`, and the largest number there counts. So there is no check-then-write that two
 * claimers could interleave, and no lock that a dead one could leave behind.
 */
import { posix } from 'node:path';
import type { Evidence, HostPort, Writer } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';

interface FenceRecord {
  fence: number;
  /** Workflow id. */
  deploy: string;
  /** ISO 8601. */
  claimedAt: string;
}

/**
 * Takes the target for this writer; from here on every smaller fence is refused. `folder` is the target's, absolute.
 * May run twice, and alongside other claimers. Throws `Fenced` where a newer deploy has it.
 */
export async function claim(host: HostPort, folder: string, writer: Writer): Promise<Evidence> {
  const before = await newestFence(host, folder);
  if (before !== null && before > writer.fence) throw await fenced(host, folder, before);
  if (before !== writer.fence) {
    const record: FenceRecord = { fence: writer.fence, deploy: writer.deploy, claimedAt: new Date().toISOString() };
    await host.write(fileOf(folder, writer.fence), `${JSON.stringify(record)}\n`);
  }
  // A newer one may have come in between; it has not seen this claim, or has removed it.
  await assertFence(host, folder, writer);
  for (const older of (await fences(host, folder)).filter((fence) => fence < writer.fence)) {
    await host.remove(fileOf(folder, older));
  }
  return { fence: writer.fence };
}

/** Whether any deploy ever took the target. Changes nothing. */
export async function wasClaimed(host: HostPort, folder: string): Promise<boolean> {
  return (await newestFence(host, folder)) !== null;
}

/** Throws `Fenced` where a newer deploy has taken the target, `NotClaimed` where this one never took it. Changes nothing. */
export async function assertFence(host: HostPort, folder: string, writer: Writer): Promise<void> {
  const newest = await newestFence(host, folder);
  if (newest === writer.fence) return;
  if (newest !== null && newest > writer.fence) throw await fenced(host, folder, newest);
  throw refuse(
    'NotClaimed',
    `${writer.deploy} has not taken the target in ${folder}, so it may not change it. Were its markers removed? ` +
      'Start the deploy again.',
  );
}

async function fenced(host: HostPort, folder: string, fence: number): Promise<Error> {
  const text = await host.read(fileOf(folder, fence));
  const by = text === null ? '' : describe(JSON.parse(text));
  return refuse('Fenced', `a newer deploy${by} has taken this target; this one may no longer change it`);
}

function describe({ deploy, claimedAt }: FenceRecord): string {
  return ` (${deploy}, claimed ${claimedAt.replace('T', ' ').replace(/\.\d+Z$/, 'Z')})`;
}

async function newestFence(host: HostPort, folder: string): Promise<number | null> {
  const all = await fences(host, folder);
  return all.length === 0 ? null : Math.max(...all);
}

async function fences(host: HostPort, folder: string): Promise<number[]> {
  const names = await host.list(posix.join(folder, 'fence'));
  return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
}

function fileOf(folder: string, fence: number): string {
  return posix.join(folder, 'fence', `${fence}.json`);
}

/** What a deploy costs its users, counted from before the first change to its end. */
import type { Evidence, HostPort, TrafficPort } from '../../workflows/ports.ts';
import type { Prober, Receipt } from '../../workflows/runbook/checks.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { filesOf, forgetOld, readJson, writeJson } from './files.ts';
import type { ProbeCounts } from './prober.ts';
import { endProber, startProber } from './prober-process.ts';
import { segmentsOf, startsOf } from './starts.ts';

interface Where {
  host: HostPort;
  /** The target's, absolute. */
  folder: string;
  /** The deploy's. */
  fence: number;
}

/**
 * From here on the receipt counts; a prober asks the front door meanwhile, also while no worker runs. Leaves a marker at
 * the target. May run twice: the first beginning stays, and there is one prober.
 */
export async function openReceipt(
  { host, folder, fence }: Where,
  prober: Prober | null,
  traffic: Pick<TrafficPort, 'front'> | null,
): Promise<Evidence> {
  const files = filesOf(folder, fence);
  if ((await host.read(files.opened)) === null) {
    await writeJson(host, files.opened, { since: Date.now() });
    await forgetOld(host, files);
  }
  if (!prober || !traffic || (await host.read(files.closed)) !== null) return { prober: null };
  const { path, everyMs, forMs } = prober;
  const pid = await startProber(files, { url: new URL(path, traffic.front()).href, everyMs, forMs });
  return { pid, prober: `GET ${path} every ${describeMs(everyMs)}` };
}

/**
 * Ends the prober and counts what each version served, as the proxy measured it. `before`: who was in each slot at the
 * beginning; later starts are known by `markStart`. null where none was opened. May run twice: a closed receipt stays as
 * it is. Throws what the proxy's port throws; it is open still then.
 */
export async function closeReceipt(
  { host, folder, fence }: Where,
  before: Record<Slot, string>,
  traffic: Pick<TrafficPort, 'measure'> | null,
): Promise<Receipt | null> {
  const files = filesOf(folder, fence);
  const closed = await readJson<Receipt>(host, files.closed);
  if (closed) return closed;
  const opened = await readJson<{ since: number }>(host, files.opened);
  if (!opened) return null;
  await endProber(files);
  const until = Date.now();
  const segments = segmentsOf(before, await startsOf(host, files, fence), opened.since, until);
  const receipt: Receipt = {
    since: opened.since,
    until,
    served: traffic ? await served(traffic, segments) : {},
    probed: await readJson<ProbeCounts>(host, files.counts),
  };
  await writeJson(host, files.closed, { ...receipt });
  return receipt;
}

async function served(traffic: Pick<TrafficPort, 'measure'>, segments: ReturnType<typeof segmentsOf>) {
  const sums: Receipt['served'] = {};
  for (const { slot, version, at, until } of segments) {
    const { requests, errors } = await traffic.measure([slot], at, until);
    sums[version] ??= { requests: 0, errors: 0 };
    sums[version].requests += requests;
    sums[version].errors += errors;
  }
  return sums;
}

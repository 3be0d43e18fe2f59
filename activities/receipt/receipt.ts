/** What a deploy costs its users, counted from before the first change to its end. */
import type { Evidence, HostPort, TrafficPort } from '../../workflows/ports.ts';
import type { Prober, Receipt } from '../../workflows/runbook/checks.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { isThisMachine } from '../hosts/this-machine.ts';
import { filesOf, forgetOld, readJson, writeJson } from './files.ts';
import type { ProbeCounts } from './prober.ts';
import { endProber, startProber } from './prober-process.ts';
import * as script from './prober-script.ts';
import { segmentsOf, startsOf } from './starts.ts';

interface Where {
  host: HostPort;
  /** The target's, absolute. */
  folder: string;
  /** The deploy's. */
  fence: number;
  /** The machine from which the front door is reached; absent: `host`. */
  front?: HostPort;
}

/** Machines that hold marks of what was started; `host` is one of them, or the only one. */
interface Marked {
  marked: HostPort[];
}

/**
 * From here on the receipt counts; a prober asks the front door meanwhile, from `front`, also while no worker runs. Leaves
 * a marker at the target. May run twice: the first beginning stays, and there is one prober.
 */
export async function openReceipt(
  { host, folder, fence, front = host }: Where,
  prober: Prober | null,
  traffic: Pick<TrafficPort, 'front'> | null,
): Promise<Evidence> {
  const files = filesOf(folder, fence);
  if ((await host.read(files.opened)) === null) {
    await writeJson(host, files.opened, { since: Date.now() });
    await forgetOld(host, files);
    if (prober && front !== host) await forgetOld(front, files);
  }
  if (!prober || !traffic || (await host.read(files.closed)) !== null) return { prober: null };
  const { path, everyMs, forMs } = prober;
  const input = { url: new URL(path, traffic.front()).href, everyMs, forMs };
  const sentence = `GET ${path} every ${describeMs(everyMs)}`;
  if (isThisMachine(front)) return { pid: await startProber(files, input), prober: sentence };
  const whyNot = await script.startProber(front, files, input);
  return { prober: whyNot === null ? `${sentence} from ${front.name}` : `not started: ${whyNot}` };
}

/**
 * Ends the prober and counts what each version served, as the proxy measured it. `before`: who was in each slot at the
 * beginning; later starts are known by `markStart`. null where none was opened. May run twice: a closed receipt stays as
 * it is. Throws what the proxy's port throws; it is open still then.
 */
export async function closeReceipt(
  { host, folder, fence, marked, front = host }: Where & Marked,
  before: Record<Slot, string>,
  traffic: Pick<TrafficPort, 'measure'> | null,
): Promise<Receipt | null> {
  const files = filesOf(folder, fence);
  const closed = await readJson<Receipt>(host, files.closed);
  if (closed) return closed;
  const opened = await readJson<{ since: number }>(host, files.opened);
  if (!opened) return null;
  if (isThisMachine(front)) await endProber(files);
  else await script.endProber(front, files);
  const until = Date.now();
  const segments = segmentsOf(before, await startsOf(marked, files, fence), opened.since, until);
  const receipt: Receipt = {
    since: opened.since,
    until,
    served: traffic ? await served(traffic, segments) : {},
    probed: isThisMachine(front)
      ? await readJson<ProbeCounts>(front, files.counts)
      : await script.readCounts(front, files),
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

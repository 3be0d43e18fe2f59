/** The same work on every machine of a target, many at once; those that fail are told apart from those that do not. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Across, Evidence } from '../../workflows/ports.ts';
import type { HostName } from '../../workflows/runbook/plan.ts';
import { notYet } from '../failures.ts';

/** Connections and answers that one worker handles at once without slowing all of them down. */
const atOnce = 64;
/** How long what may pass (nobody answers, a connection that broke) is tried on one machine before it counts. */
const patienceMs = 30_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;
const mostLong = 5;
/** Of the activity's own time limit: one machine that hangs must not take with it what the others have done. */
const marginMs = 10_000;

/** Machines by name; a target that is one machine has a single one without. */
export interface Named {
  name: HostName | null;
}

/**
 * Calls `work` with each machine. Of a fleet every machine is tried for half a minute where trying may help, and the
 * reasons of those that failed come back. Where the target is one machine its failure is thrown: Temporal tries again.
 */
export async function onEachMachine<M extends Named>(
  machines: M[],
  work: (machine: M) => Promise<Evidence>,
  signal: AbortSignal,
): Promise<Across> {
  if (machines.every(({ name }) => name === null)) return { evidence: await onOneMachine(machines, work), failed: {} };
  // It is heard on every machine at once.
  setMaxListeners(0, signal);
  const until = performance.now() + limitMs();
  const failed: Across['failed'] = {};
  const found: Evidence[] = [];
  await inParallel(machines, async (machine) => {
    try {
      found.push(await before(until, machine.name!, () => patiently(() => work(machine), signal, until)));
    } catch (error) {
      if (signal.aborted) throw error;
      failed[machine.name!] = (error as Error).message;
    }
  });
  return { evidence: { machines: found.length, ...alike(found) }, failed };
}

/** Its slots, of which each counts. */
async function onOneMachine<M>(slots: M[], work: (slot: M) => Promise<Evidence>): Promise<Evidence> {
  const found: Evidence[] = [];
  await inParallel(slots, async (slot) => {
    found.push(await work(slot));
  });
  return found.length === 1 ? found[0]! : { slots: found.length, ...alike(found) };
}

/** Rejects with the first error once everything that has begun is over, so that no undo overlaps it. */
export async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Half a minute counts from a failure on; what failed after long work is tried anew, but not for ever. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal, until: number): Promise<T> {
  let since = Number.POSITIVE_INFINITY;
  let long = 0;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    signal.throwIfAborted();
    const began = performance.now();
    try {
      return await work();
    } catch (error) {
      const now = performance.now();
      const isLong = now - began > patienceMs;
      if (isLong) long += 1;
      since = isLong && long < mostLong ? now : Math.min(since, now);
      const hopeless = error instanceof ApplicationFailure && error.nonRetryable;
      if (hopeless || signal.aborted || now - since + pause > patienceMs || now + pause > until) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** Throws `MachineHangs` where the work takes longer; it is left alone, as by an attempt that was given up. */
async function before<T>(until: number, name: HostName, work: () => Promise<T>): Promise<T> {
  if (performance.now() > until) throw hanging(name);
  const hangs = new AbortController();
  const ms = Math.min(until - performance.now(), longestTimerMs);
  const late = sleep(ms, undefined, { signal: hangs.signal }).then(() => {
    throw hanging(name);
  });
  late.catch(() => {});
  return await Promise.race([work(), late]).finally(() => hangs.abort());
}

function hanging(name: HostName): Error {
  return notYet('MachineHangs', `${name} does not come to an end. Does its disk hang, or is it overloaded?`);
}

const longestTimerMs = 2 ** 31 - 1;

function limitMs(): number {
  try {
    return Context.current().info.startToCloseTimeoutMs - marginMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What is the same everywhere is worth saying once. */
function alike([first = {}, ...others]: Evidence[]): Evidence {
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => others.every((one) => one[key] === value)));
}

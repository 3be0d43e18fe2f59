/** The same work on every machine of a target, many at once; those that fail are told apart from those that do not. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Across, Evidence } from '../../workflows/ports.ts';
import type { HostName } from '../../workflows/runbook/plan.ts';

/** Connections and answers that one worker handles at once without slowing all of them down. */
const atOnce = 64;
/** How long what may pass (nobody answers, a connection that broke) is tried on one machine before it counts. */
const patienceMs = 30_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

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
  const [only] = machines;
  if (only?.name === null) return { evidence: await work(only), failed: {} };
  // It is heard on every machine at once.
  setMaxListeners(0, signal);
  const failed: Across['failed'] = {};
  const found: Evidence[] = [];
  await inParallel(machines, async (machine) => {
    try {
      found.push(await patiently(() => work(machine), signal));
    } catch (error) {
      if (signal.aborted) throw error;
      failed[machine.name!] = (error as Error).message;
    }
  });
  return { evidence: { machines: found.length, ...alike(found) }, failed };
}

/** Rejects with the first error; the others that have begun go on. */
export async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
}

async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const started = performance.now();
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      const hopeless = error instanceof ApplicationFailure && error.nonRetryable;
      if (hopeless || signal.aborted || performance.now() - started + pause > patienceMs) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** What is the same everywhere is worth saying once. */
function alike([first = {}, ...others]: Evidence[]): Evidence {
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => others.every((one) => one[key] === value)));
}

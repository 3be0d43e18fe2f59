import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { DeployActivities } from './ports.ts';

/**
 * How an activity is tried. All heartbeat once a second, so a worker that died is noticed after `heartbeat`, and all
 * are waited for when cancelled, so that going back never overlaps the step it takes back.
 */
const heartbeat = 5_000;
const margin = 30_000;
/** Of a fleet 64 machines are asked at once, and one that does not answer is tried for half a minute, and some more. */
const machineMs = 700;

/** Between tries: quick at first because most faults are blips; never rarer than 10 s, so that recovery is noticed. */
const backoff = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 10_000 };

export type Policy = keyof typeof policies;

const policies = {
  /** Looks or changes something small; an attempt that takes a minute hangs. */
  quick: { attemptMs: () => 60_000, attempts: tries },
  /** Waits or works until a deadline of its own, and then says why: one attempt may use all of it, and some more. */
  long: { attemptMs: (deadlineMs: number) => deadlineMs + margin, attempts: tries },
} as const;

/**
 * How many tries fit into the deadline. Tries are counted instead of the clock, so that hours without a worker, or
 * a laptop that sleeps, do not use the deadline up: the deploy goes on where it was.
 */
function tries(deadlineMs: number): number {
  let count = 1;
  let interval: number = backoff.initialInterval;
  for (let spent = interval; spent < deadlineMs; spent += interval) {
    count += 1;
    interval = Math.min(interval * backoff.backoffCoefficient, backoff.maximumInterval);
  }
  // A killed worker costs a try as well, so a short deadline must leave some.
  return Math.max(count, 5);
}

/**
 * The activities, tried by a policy until a deadline. `sentence` is what the timeline shows beside each; an attempt gets
 * more time the more `machines` it may be about.
 */
export function activities(policy: Policy, deadlineMs: number, sentence: string, machines: number): DeployActivities {
  const { attemptMs, attempts } = policies[policy];
  return proxyActivities<DeployActivities>({
    startToCloseTimeout: attemptMs(deadlineMs) + machines * machineMs,
    heartbeatTimeout: heartbeat,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...backoff, maximumAttempts: attempts(deadlineMs) },
    summary: sentence.slice(0, 200),
  });
}

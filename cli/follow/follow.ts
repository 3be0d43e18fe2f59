import { setTimeout as sleep } from 'node:timers/promises';
import { statusQuery } from '../../workflows/messages.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import type { Session } from '../temporal/connect.ts';
import { isNoAnswer } from '../temporal/failures.ts';
import { retryOf } from '../temporal/retries.ts';
import { finalStatus, type Run } from '../temporal/runs.ts';
import type { View } from './view.ts';

/** `status` is null where the run left none: it was terminated. `detached`: the looking stopped, the run goes on. */
export type Followed = { kind: 'ended'; status: RunStatus | null } | { kind: 'detached' };

const lookMs = 300;
/** Nothing has changed for a while, usually since somebody is asked: look less often. */
const calmMs = 1_000;
const calmAfterMs = 20_000;
const queryMs = 3_000;
/** Without news for this long, it is asked whether a step is being tried again. */
const stuckMs = 2_000;
/** Silence that a restart explains is no trouble yet. */
const patienceMs = 8_000;

/**
 * Shows a run until it ends, or `signal` aborts. Survives the death of workers and of Temporal: it says so, and
 * goes on looking. Throws only what is neither.
 */
export async function follow(session: Session, run: Run, view: View, signal: AbortSignal): Promise<Followed> {
  const stopped = new AbortController();
  const stop = AbortSignal.any([signal, stopped.signal]);
  const over = untilEnded(session, run, stop);
  // Awaited below; without this an early failure would count as unhandled.
  over.catch(() => {});
  try {
    await lookAgainAndAgain(session, run, view, over, stop);
    if (signal.aborted) return { kind: 'detached' };
    const status = (await over) ?? null;
    if (status) view.show(status);
    return { kind: 'ended', status };
  } finally {
    stopped.abort();
    view.close();
  }
}

async function lookAgainAndAgain(
  session: Session,
  run: Run,
  view: View,
  over: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  let ended = false;
  const finished = over.finally(() => {
    ended = true;
  });
  finished.catch(() => {});
  let last = '';
  let changedAt = Date.now();
  let answeredAt = Date.now();
  let askedAt = 0;
  while (!ended && !signal.aborted) {
    const looked = await look(session, run);
    if (looked) {
      answeredAt = Date.now();
      view.trouble(null);
      const text = JSON.stringify(looked);
      if (text !== last) {
        last = text;
        changedAt = Date.now();
        view.show(looked);
        view.retrying(null);
      } else if (isStuck(looked) && Date.now() - Math.max(changedAt, askedAt) > stuckMs) {
        askedAt = Date.now();
        view.retrying(await retryOf(session, run.handle));
      }
    } else if (Date.now() - answeredAt > patienceMs && !ended) {
      view.trouble((await isServing(session)) ? workerAway(run) : temporalAway(session));
    }
    const pause = Date.now() - changedAt > calmAfterMs ? calmMs : lookMs;
    await Promise.race([sleep(pause, undefined, { signal }).catch(() => {}), finished.catch(() => {})]);
  }
}

/** A step that runs this long without a word may be one that fails again and again. */
function isStuck({ steps, state }: RunStatus): boolean {
  return state === 'planning' || steps.some((step) => step.state === 'running' || step.state === 'undoing');
}

/** The status; null where nobody answers. */
async function look(session: Session, run: Run): Promise<RunStatus | null> {
  try {
    return await session.connection.withDeadline(Date.now() + queryMs, () => run.handle.query<RunStatus>(statusQuery));
  } catch (error) {
    if (isNoAnswer(error) || (error instanceof Error && /^Query|NotFound/.test(error.name))) return null;
    throw error;
  }
}

/** Who is silent: Temporal itself, or only its workers. */
async function isServing({ connection }: Session): Promise<boolean> {
  const asked = connection.withDeadline(Date.now() + 1_000, () => connection.workflowService.getSystemInfo({}));
  return asked.then(
    () => true,
    () => false,
  );
}

/** The final status; undefined once `signal` has aborted. */
async function untilEnded(session: Session, run: Run, signal: AbortSignal): Promise<RunStatus | null | undefined> {
  while (!signal.aborted) {
    try {
      // Aborting ends the call itself: left alone, it would keep the process for another quarter of a minute.
      return await session.connection.withAbortSignal(signal, () => finalStatus(run.handle));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isNoAnswer(error)) throw error;
      await sleep(500, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

const temporalAway = (session: Session) =>
  `Temporal at ${session.address} does not answer. The deploy waits there; trying again.`;

const workerAway = (run: Run) =>
  `No worker on ${run.taskQueue} answers. The deploy goes on when one is back: holdpoint worker`;

import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import type { Session } from './connect.ts';

/** A worker's poll lasts at most 60 s, so one that has not asked for longer is gone. */
const silentMs = 70_000;
const workflowTasks = 1;
const activityTasks = 2;

export interface Poller {
  identity: string;
  /** ms since the epoch. */
  lastSeen: number;
}

/** Workers that polled the queue for workflow tasks within the last 70 s. */
export function workersOf(session: Session, taskQueue: string): Promise<Poller[]> {
  return pollers(session, taskQueue, workflowTasks);
}

/** The same for activity tasks; normally the same processes. */
export function activityWorkersOf(session: Session, taskQueue: string): Promise<Poller[]> {
  return pollers(session, taskQueue, activityTasks);
}

/** Throws a `Problem` unless a worker polls the queue; nothing has been started by then. */
export async function requireWorker(session: Session, taskQueue: string): Promise<void> {
  if ((await workersOf(session, taskQueue)).length > 0) return;
  throw noWorker(taskQueue, 'Nothing was started.');
}

export function noWorker(taskQueue: string, consequence: string): Problem {
  return new Problem(exitCodes.noWorker, `No worker polls the task queue ${taskQueue}. ${consequence}`, [
    'Start one:  holdpoint worker',
    'On a laptop, with a Temporal server of its own:  holdpoint dev',
  ]);
}

async function pollers(session: Session, taskQueue: string, taskQueueType: number): Promise<Poller[]> {
  const answer = await session.connection.withDeadline(Date.now() + 5_000, () =>
    session.connection.workflowService.describeTaskQueue({
      namespace: session.namespace,
      taskQueue: { name: taskQueue, kind: 1 },
      taskQueueType,
    }),
  );
  return (answer.pollers ?? [])
    .map((poller) => ({
      identity: poller.identity ?? '',
      lastSeen: Number(poller.lastAccessTime?.seconds ?? 0) * 1_000,
    }))
    .filter((poller) => Date.now() - poller.lastSeen < silentMs);
}

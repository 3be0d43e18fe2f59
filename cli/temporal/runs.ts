import {
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { deployId, planQuery, statusQuery } from '../../workflows/messages.ts';
import type { Plan } from '../../workflows/runbook/plan.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { exitCodes } from '../exit-codes.ts';
import { type CommonOptions, serviceOf } from '../options.ts';
import { Problem } from '../problem.ts';
import type { Session } from './connect.ts';
import { isNoAnswer, statusIn } from './failures.ts';

/** One run of a deploy, pinned by its run id. */
export interface Run {
  handle: WorkflowHandle;
  workflowId: string;
  runId: string;
  open: boolean;
  /** Temporal's own word: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, … */
  temporalStatus: string;
  taskQueue: string;
  /** ms since the epoch. */
  startedAt: number;
  closedAt: number | null;
}

/** How long a worker may take to answer a query. */
const queryMs = 5_000;

/** The newest run of the service and environment, or the one named. Throws a `Problem` where there is none. */
export async function findRun(session: Session, options: CommonOptions & { run?: string }): Promise<Run> {
  const service = serviceOf(options);
  const run = await lookForRun(session, deployId(options.environment, service), options.run);
  if (run) return run;
  const which = options.run ? `run ${options.run} of ${service}` : `deploy of ${service}`;
  throw new Problem(exitCodes.usage, `Temporal knows no ${which} to ${options.environment}.`, [
    'Runs that it knows: holdpoint history',
    `Other environments: -e <name> (this was ${options.environment})`,
  ]);
}

/** The same; null where there is none. */
export async function lookForRun(session: Session, workflowId: string, runId?: string): Promise<Run | null> {
  try {
    const description = await session.client.workflow.getHandle(workflowId, runId).describe();
    return toRun(session, workflowId, description);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function toRun(session: Session, workflowId: string, description: WorkflowExecutionDescription): Run {
  return {
    handle: session.client.workflow.getHandle(workflowId, description.runId),
    workflowId,
    runId: description.runId,
    open: description.status.name === 'RUNNING' || description.status.name === 'PAUSED',
    temporalStatus: description.status.name,
    taskQueue: description.taskQueue,
    startedAt: description.startTime.getTime(),
    closedAt: description.closeTime?.getTime() ?? null,
  };
}

/**
 * Where the run stands: asked of a worker while it is open, read from its result afterwards. null where nobody
 * can say: no worker answers within 5 s.
 */
export async function readStatus(session: Session, run: Run): Promise<RunStatus | null> {
  if (!run.open) {
    const final = await finalStatus(run.handle);
    if (final) return final;
  }
  return ask<RunStatus>(session, run, statusQuery);
}

/** The plan that the run walks; null where it has none yet, or nobody answers. */
export function readPlan(session: Session, run: Run): Promise<Plan | null> {
  return ask<Plan>(session, run, planQuery);
}

/** Waits until the run has ended. null where it left no status: terminated, or failed in an unforeseen way. Throws when Temporal does not answer. */
export async function finalStatus(handle: WorkflowHandle): Promise<RunStatus | null> {
  try {
    const result: unknown = await handle.result();
    return result && typeof result === 'object' && 'steps' in result ? (result as RunStatus) : null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return statusIn(error);
  }
}

async function ask<T>(session: Session, run: Run, query: string): Promise<T | null> {
  try {
    return await session.connection.withDeadline(Date.now() + queryMs, () => run.handle.query<T | null>(query));
  } catch (error) {
    if (isNoAnswer(error) || isUnregistered(error)) return null;
    throw error;
  }
}

/** Before its first task, or with a worker that does not know the workflow, a run has no queries yet. */
function isUnregistered(error: unknown): boolean {
  return error instanceof Error && (error.name === 'QueryNotRegisteredError' || error.name === 'QueryRejectedError');
}

/** The `Problem` for a run that nobody can describe. */
export function nobodyKnows(run: Run): Problem {
  if (run.open) {
    return new Problem(
      exitCodes.noWorker,
      `${run.workflowId} is open, but no worker on ${run.taskQueue} answers. It goes on when one is back.`,
      ['Start one:  holdpoint worker'],
    );
  }
  return new Problem(
    exitCodes.needsAttention,
    `${run.workflowId} ended as ${run.temporalStatus} in Temporal, before Holdpoint could finish it: nothing was undone.`,
    [
      'See what it did:                      holdpoint open',
      'Take back what it may have changed:   holdpoint rollback',
    ],
  );
}

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type DeployRequest, defaultTaskQueue, deployId, deployWorkflow } from '../../workflows/messages.ts';
import { sameRun } from '../command-line.ts';
import { decide } from '../decide.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { showRun } from '../follow/show-run.ts';
import { type CommonOptions, taskQueueOf } from '../options.ts';
import { Problem } from '../problem.ts';
import { renderHolder } from '../render/holder.ts';
import { type RequestOptions, startOptions, summary, toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { type Session, withSession } from '../temporal/connect.ts';
import { finalStatus, lookForRun, type Run, readStatus } from '../temporal/runs.ts';
import { runPage, uiBase } from '../temporal/ui.ts';
import { requireWorker } from '../temporal/workers.ts';
import { complain, print, printJsonLine } from '../terminal.ts';

export interface DeployOptions extends RequestOptions {
  detach?: boolean;
  supersede?: boolean;
}

/** Starts a deploy and follows it to its end. Starting twice cannot happen: the workflow id is the lock. */
export async function deploy(options: DeployOptions): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, 'deploy');
  return withSession(options, async (session) => {
    await requireWorker(session, taskQueueOf(options, defaultTaskQueue));
    if (options.supersede) await supersede(session, options, request);
    return startAndShow(session, options, request);
  });
}

/** Starts the run that was asked for, and follows it unless `--detach`. Throws a `Problem` where another one runs. */
export async function startAndShow(
  session: Session,
  options: DeployOptions,
  request: DeployRequest,
): Promise<ExitCode> {
  const run = await start(session, options, request);
  const base = uiBase(session.address);
  const link = base ? runPage(base, session.namespace, run.workflowId, run.runId) : null;
  if (options.json)
    printJsonLine({ change: 'started', at: Date.now(), workflowId: run.workflowId, runId: run.runId, link });
  else complain(`${summary(request)}: started${link ? `\n${link}` : ''}\n`);
  if (!options.detach) return showRun(session, run, options);
  if (!options.json) print(`Follow it: holdpoint watch${sameRun(options)}`);
  return exitCodes.succeeded;
}

async function start(session: Session, options: DeployOptions, request: DeployRequest): Promise<Run> {
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const workflowId = deployId(request.environment, request.runbook.service);
  try {
    const { firstExecutionRunId: runId } = await session.client.workflow.start(
      deployWorkflow,
      startOptions(request, taskQueue),
    );
    const handle = session.client.workflow.getHandle(workflowId, runId);
    return {
      handle,
      workflowId,
      runId,
      open: true,
      temporalStatus: 'RUNNING',
      taskQueue,
      startedAt: Date.now(),
      closedAt: null,
    };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await lockedBy(session, options, workflowId);
    throw error;
  }
}

/** Who holds the lock, since when, where it stands, and what can be done. */
export async function lockedBy(session: Session, options: CommonOptions, workflowId: string): Promise<Problem> {
  const run = await lookForRun(session, workflowId);
  const status = run ? await readStatus(session, run) : null;
  const { message, next } = renderHolder(status, run?.startedAt ?? null, sameRun(options), Date.now());
  return new Problem(exitCodes.locked, message, next, { status, runId: run?.runId ?? null });
}

/** Asks a waiting run that has changed nothing to give way, and waits until it has. Nothing runs: nothing to do. */
async function supersede(session: Session, options: DeployOptions, request: DeployRequest): Promise<void> {
  const running = await lookForRun(session, deployId(request.environment, request.runbook.service));
  if (!running?.open) return;
  const reason = options.reason ?? `${summary(request)} takes its place`;
  const { plan: _plan, ...rest } = options;
  const { run } = await decide(session, 'supersede', { ...rest, service: request.runbook.service, reason });
  await finalStatus(run.handle);
}

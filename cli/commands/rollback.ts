import { defaultTaskQueue, deployId } from '../../workflows/messages.ts';
import { decide } from '../decide.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { showRun } from '../follow/show-run.ts';
import { serviceOf, taskQueueOf } from '../options.ts';
import { titleOf } from '../render/headline.ts';
import { toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { type Session, withSession } from '../temporal/connect.ts';
import { lookForRun } from '../temporal/runs.ts';
import { requireWorker } from '../temporal/workers.ts';
import { complain } from '../terminal.ts';
import { type DeployOptions, startAndShow } from './deploy.ts';

/** Sends a running deploy back; where none runs, starts a run back to the release before. */
export async function rollback(options: DeployOptions): Promise<ExitCode> {
  const service = serviceOf(options);
  return withSession(options, async (session) => {
    const running = await lookForRun(session, deployId(options.environment, service));
    if (running?.open) return sendBack(session, options);
    await requireWorker(session, taskQueueOf(options, defaultTaskQueue));
    return startAndShow(session, options, toRequest(loadRunbook(options.file), options, 'rollback'));
  });
}

async function sendBack(session: Session, options: DeployOptions): Promise<ExitCode> {
  const { run, before } = await decide(session, 'rollback', options);
  if (!options.json) complain(`Going back: ${before ? titleOf(before) : run.workflowId}\n`);
  if (options.detach) return exitCodes.succeeded;
  const code = await showRun(session, run, options);
  // What was asked for is what happened.
  return code === exitCodes.rolledBack ? exitCodes.succeeded : code;
}

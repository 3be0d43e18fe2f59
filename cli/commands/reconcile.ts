import { defaultTaskQueue, deployId, planWorkflow } from '../../workflows/messages.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { taskQueueOf } from '../options.ts';
import { oneLine } from '../render/text.ts';
import { toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { askWorker } from '../temporal/ask-worker.ts';
import { withSession } from '../temporal/connect.ts';
import { nothingToReconcile } from '../temporal/failures.ts';
import { lookForRun } from '../temporal/runs.ts';
import { print, printJsonLine } from '../terminal.ts';
import { type DeployOptions, lockedBy, startAndShow } from './deploy.ts';

/**
 * Starts a run that brings every machine of the fleet to the confirmed release. Where all of them have it, nothing is
 * started and nothing is left in the history: it is asked for a plan first.
 */
export async function reconcile(options: DeployOptions): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, 'reconcile');
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  return withSession(options, async (session) => {
    const workflowId = deployId(request.environment, request.runbook.service);
    if ((await lookForRun(session, workflowId))?.open) throw await lockedBy(session, options, workflowId);
    try {
      await askWorker(session, planWorkflow, request, taskQueue);
    } catch (error) {
      const sentence = nothingToReconcile(error);
      if (sentence === null) throw error;
      if (options.json) printJsonLine({ change: 'nothing', at: Date.now(), sentence });
      else print(`Nothing to reconcile: ${oneLine(sentence)}.`);
      return exitCodes.succeeded;
    }
    return startAndShow(session, options, request);
  });
}

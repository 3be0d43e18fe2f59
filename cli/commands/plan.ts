import { randomBytes } from 'node:crypto';
import { defaultTaskQueue, planWorkflow, searchAttributes } from '../../workflows/messages.ts';
import type { Plan } from '../../workflows/runbook/plan.ts';
import { sameRun } from '../command-line.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { taskQueueOf } from '../options.ts';
import { renderPlan } from '../render/plan.ts';
import { oneLine, paintFor } from '../render/text.ts';
import { type RequestOptions, summary, toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { withSession } from '../temporal/connect.ts';
import { resultOf } from '../temporal/while-waiting.ts';
import { requireWorker } from '../temporal/workers.ts';
import { complain, print, printJson } from '../terminal.ts';

/** Observes and plans on a worker, prints the plan. Changes nothing. */
export async function plan(options: RequestOptions & { rollback?: boolean }): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, options.rollback ? 'rollback' : 'deploy');
  const { service } = request.runbook;
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const made = await withSession(options, async (session): Promise<Plan> => {
    await requireWorker(session, taskQueue);
    const handle = await session.client.workflow.start(planWorkflow, {
      workflowId: `plan/${options.environment}/${service}/${randomBytes(4).toString('hex')}`,
      taskQueue,
      args: [request],
      workflowTaskTimeout: '5s',
      typedSearchAttributes: [
        { key: searchAttributes.service, value: service },
        { key: searchAttributes.environment, value: options.environment },
      ],
      staticSummary: `Plan: ${summary(request)}`,
    });
    return resultOf<Plan>(session, handle, ({ message }) => complain(`Trying again: ${oneLine(message)}`));
  });
  if (options.json) printJson(made);
  else print(renderPlan(made, paintFor(process.stdout), nextCommand(made, options)));
  return exitCodes.succeeded;
}

function nextCommand(made: Plan, options: RequestOptions): string {
  if (made.intent === 'rollback') return `holdpoint rollback${sameRun(options)}`;
  return `holdpoint deploy --version ${made.release.version} --plan ${made.digest}${sameRun(options)}`;
}

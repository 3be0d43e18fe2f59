import { defaultTaskQueue } from '../../workflows/messages.ts';
import type { Plan } from '../../workflows/runbook/plan.ts';
import { sameRun } from '../command-line.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { taskQueueOf } from '../options.ts';
import { renderPlan } from '../render/plan.ts';
import { oneLine, paintFor } from '../render/text.ts';
import { type RequestOptions, toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { withSession } from '../temporal/connect.ts';
import { startPlan } from '../temporal/start-plan.ts';
import { resultOf } from '../temporal/while-waiting.ts';
import { requireWorker } from '../temporal/workers.ts';
import { complain, print, printJson } from '../terminal.ts';

/** Observes and plans on a worker, prints the plan. Changes nothing. */
export async function plan(options: RequestOptions & { rollback?: boolean }): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, options.rollback ? 'rollback' : 'deploy');
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const made = await withSession(options, async (session): Promise<Plan> => {
    await requireWorker(session, taskQueue);
    const handle = await startPlan(session, request, taskQueue);
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

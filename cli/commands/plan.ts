import { type DeployRequest, defaultTaskQueue, planWorkflow } from '../../workflows/messages.ts';
import type { Intent, Plan } from '../../workflows/runbook/plan.ts';
import { sameRun } from '../command-line.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { taskQueueOf } from '../options.ts';
import { Problem } from '../problem.ts';
import { renderPlan } from '../render/plan.ts';
import { oneLine, paintFor } from '../render/text.ts';
import { type RequestOptions, toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { askWorker } from '../temporal/ask-worker.ts';
import { withSession } from '../temporal/connect.ts';
import { nothingToReconcile } from '../temporal/failures.ts';
import { print, printJson } from '../terminal.ts';

export interface PlanOptions extends RequestOptions {
  rollback?: boolean;
  reconcile?: boolean;
}

/** Observes and plans on a worker, prints the plan. Changes nothing. */
export async function plan(options: PlanOptions): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, intentOf(options));
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const made = await withSession(
    options,
    (session): Promise<Plan | string> =>
      askWorker<Plan>(session, planWorkflow, request, taskQueue).catch((error) => {
        const nothing = nothingToReconcile(error);
        if (nothing !== null) return nothing;
        throw error;
      }),
  );
  if (typeof made === 'string') return nothing(made, request, options);
  if (options.json) printJson(made);
  else print(renderPlan(made, paintFor(process.stdout), nextCommand(made, options)));
  return exitCodes.succeeded;
}

function intentOf({ rollback, reconcile }: PlanOptions): Intent {
  if (rollback && reconcile) throw new Problem(exitCodes.usage, 'Either --rollback or --reconcile: not both.');
  return rollback ? 'rollback' : reconcile ? 'reconcile' : 'deploy';
}

/** A plan without steps. */
function nothing(sentence: string, { runbook, environment, intent }: DeployRequest, { json }: PlanOptions): ExitCode {
  if (json) printJson({ service: runbook.service, environment, intent, steps: [], sentence });
  else print(`Nothing to reconcile: ${oneLine(sentence)}.`);
  return exitCodes.succeeded;
}

function nextCommand(made: Plan, options: RequestOptions): string {
  if (made.intent !== 'deploy') return `holdpoint ${made.intent}${sameRun(options)}`;
  return `holdpoint deploy --version ${made.release.version} --plan ${made.digest}${sameRun(options)}`;
}

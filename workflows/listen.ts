import { ApplicationFailure, CancellationScope, defineQuery, setHandler, workflowInfo } from '@temporalio/workflow';
import { type DeployRequest, deployId, planQuery, statusQuery } from './messages.ts';
import { Operator } from './operator.ts';
import { Run } from './run.ts';
import type { Plan } from './runbook/plan.ts';
import { intents } from './runbook/plan.ts';
import type { RunStatus } from './runbook/status.ts';

export interface Listening {
  run: Run;
  operator: Operator;
  /** The walk forward; whoever stops the run cancels it. */
  forward: CancellationScope;
}

/** Sets every handler before the first await, so that no message, however early, is missed. */
export function listen(request: DeployRequest): Listening {
  demandRequest(request);
  const run = new Run(request);
  // Half a way back would be worse than none: nobody stops it, not even from outside.
  const forward = new CancellationScope({ cancellable: request.intent === 'deploy' });
  const operator = new Operator(run, forward);
  setHandler(defineQuery<RunStatus>(statusQuery), () => run.status, { description: 'The whole run, step by step' });
  setHandler(defineQuery<Plan | null>(planQuery), () => run.plan, { description: 'The plan that is walked' });
  return { run, operator, forward };
}

/** Anybody can start a workflow from the Temporal UI: what is odd ends it, since a TypeError would be tried for ever. */
function demandRequest(request: DeployRequest): void {
  const { runbook, environment, folder, version, intent, by } = request ?? {};
  const texts = [runbook?.service, environment, folder, by, ...(intent === 'deploy' ? [version] : [])];
  const whole = texts.every((text) => typeof text === 'string') && intents.includes(intent);
  const { workflowId } = workflowInfo();
  const mend = 'start it with `holdpoint deploy`, `rollback` or `reconcile`';
  if (!whole)
    throw ApplicationFailure.nonRetryable(`this was not started with a whole request: ${mend}`, 'RequestInvalid');
  const lock = deployId(environment, runbook.service);
  if (workflowId === lock) return;
  // The id is the lock: under another one two deploys could run at once.
  throw ApplicationFailure.nonRetryable(`a deploy of this runbook must have the id ${lock}: ${mend}`, 'RequestInvalid');
}

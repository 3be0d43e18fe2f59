import { ApplicationFailure, CancellationScope, defineQuery, setHandler } from '@temporalio/workflow';
import { type DeployRequest, planQuery, statusQuery } from './messages.ts';
import { Operator } from './operator.ts';
import { Run } from './run.ts';
import type { Plan } from './runbook/plan.ts';
import type { RunStatus } from './runbook/status.ts';

export interface Listening {
  run: Run;
  operator: Operator;
  /** The walk forward; whoever stops the run cancels it. */
  forward: CancellationScope;
}

/** Sets every handler before the first await, so that no message, however early, is missed. */
export function listen(request: DeployRequest): Listening {
  // Anybody can start a workflow from the Temporal UI; a TypeError would be tried again for ever.
  if (!request?.runbook?.service) {
    throw ApplicationFailure.nonRetryable(
      'this was started without a runbook: use `holdpoint deploy`',
      'RunbookInvalid',
    );
  }
  const run = new Run(request);
  const forward = new CancellationScope();
  const operator = new Operator(run, forward);
  setHandler(defineQuery<RunStatus>(statusQuery), () => run.status, { description: 'The whole run, step by step' });
  setHandler(defineQuery<Plan | null>(planQuery), () => run.plan, { description: 'The plan that is walked' });
  return { run, operator, forward };
}

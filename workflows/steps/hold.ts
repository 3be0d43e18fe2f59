import { ApplicationFailure } from '@temporalio/workflow';
import type { ActionOf } from '../runbook/actions.ts';
import type { Perform, StepContext } from './step-context.ts';

/** A person decides. `no` and an expiry that says `rollback` fail the step with a type that names the end. */
export const hold: Perform<ActionOf<'hold'>> = async ({ ask, by, expiresMs, otherwise }, context) => {
  const { run, operator, step } = context;
  const since = Date.now();
  run.mark(step, 'waiting');
  run.open({ step: step.id, ask, by, since, until: expiresMs && since + expiresMs, otherwise, kind: 'decide' });
  const answer = await operator.answered(expiresMs, waitSummary(context, by));
  run.close();
  if (answer?.verb === 'approve') return { approvedBy: answer.by, ...(answer.reason && { reason: answer.reason }) };
  if (answer) throw ApplicationFailure.nonRetryable(`${answer.by} said no${because(answer.reason)}`, 'Rejected');
  if (otherwise === 'proceed') return { expired: 'nobody answered in time; the runbook says to proceed' };
  throw ApplicationFailure.nonRetryable('nobody answered in time; the runbook says to roll back', 'Expired');
};

function waitSummary({ sentence }: StepContext, by: string[]): string {
  return `Waiting for ${by.length > 0 ? by.join(' or ') : 'anyone'}: ${sentence}`;
}

const because = (reason: string | null) => (reason ? `: ${reason}` : '');

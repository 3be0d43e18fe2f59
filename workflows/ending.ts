import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { messageOf, typeOf } from './failure-message.ts';
import type { Operator } from './operator.ts';
import type { Run } from './run.ts';
import type { Outcome, RunStatus } from './runbook/status.ts';

/** Why a run turned back: the outcome if going back works, and a sentence. */
export interface Turn {
  outcome: Outcome;
  why: string;
}

/** What stopped the walk, told apart: a person, a cancellation from outside, or a step that failed. */
export function turnOf(run: Run, operator: Operator, error: unknown): Turn {
  const { stop } = operator;
  if (stop) {
    const why = `${stop.verb} by ${stop.by}${stop.reason ? `: ${stop.reason}` : ''}`;
    return {
      outcome: stop.verb === 'supersede' ? 'superseded' : stop.verb === 'abort' ? 'aborted' : 'rolled back',
      why,
    };
  }
  if (isCancellation(error)) return { outcome: 'aborted', why: 'the workflow was cancelled from outside' };
  const message = messageOf(error);
  if (typeOf(error) === 'Rejected') return { outcome: 'aborted', why: message };
  if (typeOf(error) === 'Expired') return { outcome: run.status.changed ? 'rolled back' : 'aborted', why: message };
  const step = run.status.steps.find(({ state }) => state === 'failed');
  const why = step ? `${step.id} failed: ${message}` : message;
  const { changed, intent, release } = run.status;
  if (run.confirmed && intent === 'deploy') {
    return {
      outcome: 'needs attention',
      why: `${why}. ${release} serves and nothing is taken back: \`holdpoint rollback\` would`,
    };
  }
  if (!changed) return { outcome: 'failed', why };
  return { outcome: intent === 'deploy' ? 'rolled back' : 'needs attention', why };
}

/** Closes the run: a result where Holdpoint did what it promises, a failure where a person has to look. */
export async function finish(run: Run, outcome: Outcome, sentence: string): Promise<RunStatus> {
  const status = run.end(outcome, sentence);
  await run.noted();
  if (outcome === 'failed') throw ApplicationFailure.nonRetryable(sentence, 'DeployFailed', status);
  if (outcome === 'needs attention') throw ApplicationFailure.nonRetryable(sentence, 'NeedsAttention', status);
  return status;
}

import { isCancellation } from '@temporalio/workflow';
import { messageOf } from './failure-message.ts';
import type { Answer, Operator } from './operator.ts';
import type { Run } from './run.ts';
import type { Phase, Step } from './runbook/plan.ts';
import { perform } from './steps/index.ts';
import { contextOf } from './steps/step-context.ts';

/** Walks the steps of one heading, in order. Throws what a step failed with, once nobody wants to try it again. */
export async function walk(run: Run, operator: Operator, phase: Phase): Promise<void> {
  for (const step of run.plan!.steps.filter((candidate) => candidate.phase === phase)) {
    await walkStep(run, operator, step);
  }
}

async function walkStep(run: Run, operator: Operator, step: Step): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await operator.ready();
    const skip = operator.skips.get(step.id);
    if (skip) return leaveOut(run, step, skip);
    try {
      return await take(run, operator, step, attempt);
    } catch (error) {
      if (isCancellation(error)) throw error;
      run.mark(step, 'failed', { note: messageOf(error) });
      const answer = await afterFailure(run, operator, step, error);
      if (answer.verb === 'skip') return leaveOut(run, step, answer);
    }
  }
}

/** The undo is registered before the step runs: a step that failed may have half happened. */
async function take(run: Run, operator: Operator, step: Step, attempt: number): Promise<void> {
  run.begin(step);
  run.mark(step, 'running');
  const context = contextOf(run, operator, step, { purpose: 'do', attempt });
  run.evidence(step, await perform(step.action, context));
  run.mark(step, 'done');
}

/** A person is asked only where the runbook wants it; a step that a person decided against is never asked about. */
async function afterFailure(run: Run, operator: Operator, step: Step, error: unknown): Promise<Answer> {
  const earlySkip = operator.skips.get(step.id);
  if (earlySkip) return earlySkip;
  // After the confirmation there is nothing to decide: it cannot be taken back, and a person has to look.
  if (run.confirmed || run.plan!.rollback.automatic || step.action.kind === 'hold') throw error;
  const ask = `${step.sentence}: failed (${messageOf(error)}). Retry, skip or roll back?`;
  const otherwise = 'rollback';
  run.open({ step: step.id, ask, by: [], since: Date.now(), until: null, otherwise, kind: 'failed' });
  const answer = await operator.answered(null, `Waiting for a decision: ${ask}`);
  run.close();
  if (!answer) throw error;
  return answer;
}

function leaveOut(run: Run, step: Step, { by, reason }: Answer): void {
  run.mark(step, 'skipped', { note: `skipped by ${by}: ${reason}` });
}

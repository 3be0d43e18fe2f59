import { ApplicationFailure } from '@temporalio/workflow';
import type { ActionOf, Side } from '../runbook/actions.ts';
import type { Verdict } from '../runbook/checks.ts';
import { hold } from './hold.ts';
import { nobodyThere, presentSlots } from './machines.ts';
import type { Perform, StepContext } from './step-context.ts';

/** Measures, then acts on the verdict. Too little data is neither pass nor fail: the runbook says what happens. */
export const watch: Perform<ActionOf<'watch'>> = async (action, context) => {
  const { activities, target, run, step } = context;
  const since = Date.now();
  const candidate = present(action.candidate, context);
  if (!candidate) return nobodyThere;
  const stable = action.stable && present(action.stable, context);
  const verdict = await activities('long').watchTraffic({ ...action, candidate, stable, target, since });
  run.line(step.id).verdict = verdict;
  run.evidence(step, { verdict: verdict.word, found: verdict.sentence });
  if (verdict.word === 'passed') return {};
  if (verdict.word === 'failed') throw ApplicationFailure.nonRetryable(verdict.sentence, 'VerdictFailed');
  return undecided(verdict, action, context);
};

/** Where it runs on machines that take part; null where none of them does. */
function present(side: Side, context: StepContext): Side | null {
  const { slots } = presentSlots(side.slots, context);
  return slots.length > 0 ? { ...side, slots } : null;
}

/** One that was extended as often as is sensible is a person's to decide. */
async function undecided({ word, sentence }: Verdict, { analysis, by }: ActionOf<'watch'>, context: StepContext) {
  if (analysis.inconclusive === 'proceed') return { proceeded: 'the runbook says to proceed' };
  if (analysis.inconclusive === 'rollback')
    throw ApplicationFailure.nonRetryable(sentence, word === 'errored' ? 'VerdictErrored' : 'VerdictInconclusive');
  const ask = `The verdict is ${word}: ${sentence}. Go on?`;
  return hold({ kind: 'hold', ask, by, expiresMs: null, otherwise: 'rollback' }, context);
}

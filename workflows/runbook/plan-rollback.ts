import { toMs } from './duration.ts';
import { fetchStep } from './fetch-step.ts';
import type { Plan } from './plan.ts';
import { claimStep, type Draft, finished, type PlanInput, placed } from './planning.ts';
import { chooseGoal, type Goal, isUnfinished } from './rollback-goal.ts';
import { rollbackOutage, rollbackSteps } from './rollback-steps.ts';
import { refuseUnknownTarget } from './unfinished.ts';

/**
 * The way back without a deploy to undo: after one was confirmed, or was ended from outside. Asks nobody, runs
 * none of the runbook's lines, needs nothing of the version it leaves. Its steps have no undo. Where an unfinished
 * deploy left some targets half done, only those are brought back; otherwise all go back, the last renewed first.
 */
export function planRollback(inputs: [PlanInput, ...PlanInput[]]): Omit<Plan, 'digest'> {
  for (const input of inputs) refuseUnknownTarget(input);
  const unfinished = inputs.filter(isUnfinished);
  const returning = (unfinished.length > 0 ? unfinished : inputs).toReversed();
  const parts = returning.map((input) => ({ input, goal: chooseGoal(input) }));
  const { runbook, environment } = inputs[0];
  const { goal } = parts.at(-1)!;
  return {
    service: runbook.service,
    environment,
    intent: 'rollback',
    release: goal.release,
    from: goal.leave,
    strategy: [...new Set(returning.map(({ strategy }) => strategy))].join(', '),
    targets: returning.map(({ target }) => target),
    steps: finished(parts.flatMap((part) => stepsOf(part, parts.length > 1))),
    wayBack: { possible: false, sentence: 'This is the way back: it is not taken back itself.' },
    notices: ['Migrations stay as they are.', ...parts.flatMap((part) => rollbackOutage(part.input, part.goal))],
    rollback: { automatic: true, deadlineMs: toMs(runbook.rollback.deadline) },
  };
}

function stepsOf({ input, goal }: { input: PlanInput; goal: Goal }, several: boolean) {
  return placed([claimStep(input), ...fetchGoal(input, goal), ...rollbackSteps(input, goal)], input.target, several);
}

/** Before anything is stopped: what it goes back to can be had, and its secrets resolve. */
function fetchGoal(input: PlanInput, { release, slots }: Goal): Draft[] {
  const there = slots.every((slot) => {
    const found = input.observed.slots[slot];
    return found?.running && found.release === release.version;
  });
  return there ? [] : [fetchStep(input, release)];
}

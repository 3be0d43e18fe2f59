import { asideOf, refuseUnreachable, toleratedGoingBack } from './aside.ts';
import { toMs } from './duration.ts';
import { fetchStep } from './fetch-step.ts';
import { runsRelease } from './found-in-slots.ts';
import type { Plan } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { claimStep, type Draft, finished, names, type PlanInput, placed } from './planning.ts';
import { chooseGoal, chooseWhole, type Goal, isUnfinished } from './rollback-goal.ts';
import { rollbackOutage, rollbackSteps } from './rollback-steps.ts';
import { refuseUnknownTarget } from './unfinished.ts';

/**
 * The way back without a deploy to undo: after one was confirmed, or was ended from outside. Asks nobody, runs
 * none of the runbook's lines, needs nothing of the version it leaves. Its steps have no undo. Where an unfinished
 * deploy left some targets half done, only those are brought back; otherwise all go back, the last renewed first.
 */
export function planRollback(inputs: [PlanInput, ...PlanInput[]]): Omit<Plan, 'digest'> {
  for (const input of inputs) refuseUnfit(input);
  const unfinished = inputs.filter(isUnfinished);
  const returning = (unfinished.length > 0 ? unfinished : inputs).toReversed();
  return planReturn(
    'rollback',
    returning.map((input) => ({ input, goal: chooseGoal(input) })),
  );
}

/**
 * Brings machines that a deploy went on without to the confirmed release, and back into the traffic. Throws PlanRefused
 * `NothingToReconcile` where every machine that answers is as it was confirmed.
 */
export function planReconcile(inputs: [PlanInput, ...PlanInput[]]): Omit<Plan, 'digest'> {
  for (const input of inputs) refuseUnfit(input);
  const parts = inputs.flatMap((input) => {
    const goal = chooseWhole(input);
    return goal ? [{ input, goal }] : [];
  });
  if (parts.length > 0) return planReturn('reconcile', parts);
  const { runbook, environment } = inputs[0];
  const away = inputs.flatMap(asideOf).map(({ host }) => host);
  throw new PlanRefused(
    'NothingToReconcile',
    `every machine of ${runbook.service} in ${environment} that answers is as it was confirmed` +
      (away.length > 0 ? `; still away: ${names(away)}` : ''),
  );
}

/** Throws PlanRefused for a target that nothing can be said of. */
function refuseUnfit(input: PlanInput): void {
  refuseUnreachable(input, toleratedGoingBack(input));
  refuseUnknownTarget(input);
}

interface Returning {
  input: PlanInput;
  goal: Goal;
}

function planReturn(intent: 'rollback' | 'reconcile', parts: Returning[]): Omit<Plan, 'digest'> {
  const returning = parts.map(({ input }) => input);
  const { input, goal } = parts.at(-1)!;
  const { runbook, environment } = input;
  return {
    service: runbook.service,
    environment,
    intent,
    release: goal.release,
    from: goal.leave,
    strategy: [...new Set(returning.map(({ strategy }) => strategy))].join(', '),
    aside: returning.flatMap(asideOf),
    tolerated: Object.fromEntries(returning.map((each) => [each.target.name, toleratedGoingBack(each)])),
    targets: returning.map(({ target }) => target),
    steps: finished(parts.flatMap((part) => stepsOf(part, parts.length > 1))),
    wayBack: { possible: false, sentence: 'This is the way back: it is not taken back itself.' },
    notices: ['Migrations stay as they are.', ...parts.flatMap((part) => rollbackOutage(part.input, part.goal))],
    rollback: { automatic: true, deadlineMs: toMs(runbook.rollback.deadline) },
  };
}

function stepsOf({ input, goal }: Returning, several: boolean) {
  return placed([claimStep(input), ...fetchGoal(input, goal), ...rollbackSteps(input, goal)], input.target, several);
}

/** Before anything is stopped: what it goes back to can be had, and its secrets resolve. */
function fetchGoal(input: PlanInput, { release, slots }: Goal): Draft[] {
  const there = slots.every((slot) => runsRelease(input.observed, slot, release));
  return there ? [] : [fetchStep(input, release)];
}

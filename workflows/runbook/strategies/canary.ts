import { describeMs, toMs } from '../duration.ts';
import { holdAction } from '../lines.ts';
import { isFleet, placeOf, slotsOf } from '../places.ts';
import type { Slot, Weights } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import {
  type Draft,
  idleSlots,
  names,
  oneLiveEach,
  quickMs,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
} from '../planning.ts';
import type { Hold } from '../schema.ts';
import { watchStep } from '../watch-step.ts';
import { clearLeftovers, demandProxy, giveBack, startCandidate, stopOld } from './candidate.ts';

interface CanaryStep {
  /** Of traffic, 0–1. */
  share: number;
  bakeMs: number;
  hold: Hold | undefined;
}

/**
 * The new version gets a growing share of the traffic; each step bakes, judged beside the old version where the runbook
 * says what passes. A first deploy has nobody to compare with: it gets all traffic at once.
 */
export function canary(situation: Situation): StrategySteps {
  demandProxy(situation);
  const { target } = situation;
  const live = oneLiveEach(situation);
  refuseMixed(situation);
  const slots = idleSlots(situation);
  const steps = live.length > 0 ? canarySteps(situation) : [{ share: 1, bakeMs: 0, hold: undefined }];
  return {
    weights: shared(target, slots),
    servesFrom: `rollout.shift-${percent(steps[0]!.share)}`,
    beforeMigrations: [],
    rollout: [
      ...clearLeftovers(situation),
      ...startCandidate(situation, slots),
      ...steps.flatMap((step, index) => stepOf(situation, slots, step, index === 0)),
    ],
    cleanUp: stopOld(situation, live),
    notices:
      live.length > 0 ? [] : ['First deploy: there is no version to compare with, so all traffic goes to it at once.'],
  };
}

/** A growing share moves users from one side to the other: half of each would move them to and fro. */
function refuseMixed({ target, live }: Situation): void {
  const sides = new Set(live.map((slot) => placeOf(target, slot).side));
  if (!isFleet(target) || sides.size <= 1) return;
  throw new PlanRefused(
    'SidesMixed',
    `${target.name} serves from ${[...sides].join(' on some machines and ')} on others: deploy once with blue-green or rolling.`,
  );
}

/** Throws PlanRefused unless the shares grow and end with all of it. */
function canarySteps({ runbook, target }: Situation): CanaryStep[] {
  const steps = runbook.rollout.steps.map((written): CanaryStep => {
    const step = typeof written === 'string' ? { share: written } : written;
    const share = Number.parseInt(step.share, 10) / 100;
    return { share, bakeMs: toMs(step.for ?? runbook.rollout.bake), hold: step.hold };
  });
  if (!isFleet(target) && slotsOf(target).length > 2 && steps.some(({ share }) => share < 1)) {
    throw new PlanRefused(
      'TooManySlots',
      `canary shares the traffic between two slots, and ${target.name} has ${slotsOf(target).join(', ')}: give it two ports.`,
    );
  }
  const grows = steps.every(({ share }, index) => index === 0 || share > steps[index - 1]!.share);
  if (grows && steps.at(-1)!.share === 1) return steps;
  const written = steps.map(({ share }) => `${percent(share)}%`).join(', ');
  throw new PlanRefused('RunbookInvalid', `rollout.steps must grow and end with 100%, but they are ${written}`);
}

/** Going back is registered once, with the first share: it gives everything back, however far the others came. */
function stepOf(situation: Situation, slots: Slot[], step: CanaryStep, first: boolean): Draft[] {
  const { runbook, release, live } = situation;
  const name = `${runbook.service} ${release.version}`;
  const shift: Draft = {
    id: `rollout.shift-${percent(step.share)}`,
    phase: 'rollout',
    sentence: `Give ${step.share === 1 ? 'all traffic' : `${percent(step.share)}% of the traffic`} to ${name} in ${names(slots)}`,
    action: shiftAction(situation, sharesOf(situation, slots, step.share), slots),
    ...(first && { undo: giveBack(situation, live) }),
    deadlineMs: shiftDeadline(situation),
  };
  return [shift, ...bake(situation, slots, step), ...ask(situation, step)];
}

function bake(situation: Situation, slots: Slot[], { share, bakeMs }: CanaryStep): Draft[] {
  const { runbook, release, live } = situation;
  const { analysis: written } = runbook.rollout;
  if (bakeMs === 0) return [];
  const name = `${runbook.service} ${release.version}`;
  const id = `rollout.bake-${percent(share)}`;
  if (!written) {
    const sentence = `Let ${name} bake at ${percent(share)}% for ${describeMs(bakeMs)}`;
    return [{ id, phase: 'rollout', sentence, action: { kind: 'wait', ms: bakeMs }, deadlineMs: quickMs }];
  }
  const where = ` at ${percent(share)}%`;
  return [watchStep(situation, { id, where, written, forMs: bakeMs, candidate: slots, stable: live })];
}

function ask(situation: Situation, { share, hold }: CanaryStep): Draft[] {
  if (!hold) return [];
  const action = holdAction(situation, hold);
  return [{ id: `rollout.hold-${percent(share)}`, phase: 'rollout', sentence: hold.ask, action, deadlineMs: quickMs }];
}

function sharesOf({ target, live }: Situation, slots: Slot[], share: number): Weights {
  if (live.length === 0 || share === 1) return shared(target, slots);
  const each = (some: Slot[], all: number) => some.map((slot) => [slot, all / some.length]);
  return {
    ...shared(target, []),
    ...Object.fromEntries([...each(live, percent(1 - share) / 100), ...each(slots, share)]),
  };
}

const percent = (share: number): number => Math.round(share * 100);

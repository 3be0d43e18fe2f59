import { describeMs, toMs } from '../duration.ts';
import { holdAction } from '../lines.ts';
import type { Slot, Weights } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import {
  type Draft,
  idleSlot,
  onlyLive,
  quickMs,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
  slotsOf,
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
  const live = onlyLive(situation);
  const slot = idleSlot(situation);
  const steps = live ? canarySteps(situation) : [{ share: 1, bakeMs: 0, hold: undefined }];
  return {
    weights: shared(target, [slot]),
    servesFrom: `rollout.shift-${percent(steps[0]!.share)}`,
    beforeMigrations: [],
    rollout: [
      ...clearLeftovers(situation),
      ...startCandidate(situation, slot),
      ...steps.flatMap((step, index) => stepOf(situation, slot, live, step, index === 0)),
    ],
    cleanUp: stopOld(situation, live),
    notices: live ? [] : ['First deploy: there is no version to compare with, so all traffic goes to it at once.'],
  };
}

/** Throws PlanRefused unless the shares grow and end with all of it. */
function canarySteps({ runbook, target }: Situation): CanaryStep[] {
  const steps = runbook.rollout.steps.map((written): CanaryStep => {
    const step = typeof written === 'string' ? { share: written } : written;
    const share = Number.parseInt(step.share, 10) / 100;
    return { share, bakeMs: toMs(step.for ?? runbook.rollout.bake), hold: step.hold };
  });
  if (slotsOf(target).length > 2 && steps.some(({ share }) => share < 1)) {
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
function stepOf(situation: Situation, slot: Slot, live: Slot | null, step: CanaryStep, first: boolean): Draft[] {
  const { runbook, release } = situation;
  const name = `${runbook.service} ${release.version}`;
  const shift: Draft = {
    id: `rollout.shift-${percent(step.share)}`,
    phase: 'rollout',
    sentence: `Give ${step.share === 1 ? 'all traffic' : `${percent(step.share)}% of the traffic`} to ${name} in ${slot}`,
    action: shiftAction(situation, sharesOf(situation, slot, live, step.share), [slot]),
    ...(first && { undo: giveBack(situation, live) }),
    deadlineMs: shiftDeadline(situation),
  };
  return [shift, ...bake(situation, slot, live, step), ...ask(situation, step)];
}

function bake(situation: Situation, slot: Slot, live: Slot | null, { share, bakeMs }: CanaryStep): Draft[] {
  const { runbook, release } = situation;
  const { analysis: written } = runbook.rollout;
  if (bakeMs === 0) return [];
  const name = `${runbook.service} ${release.version}`;
  const id = `rollout.bake-${percent(share)}`;
  if (!written) {
    const sentence = `Let ${name} bake at ${percent(share)}% for ${describeMs(bakeMs)}`;
    return [{ id, phase: 'rollout', sentence, action: { kind: 'wait', ms: bakeMs }, deadlineMs: quickMs }];
  }
  const stable = live ? [live] : [];
  return [
    watchStep(situation, { id, where: ` at ${percent(share)}%`, written, forMs: bakeMs, candidate: [slot], stable }),
  ];
}

function ask(situation: Situation, { share, hold }: CanaryStep): Draft[] {
  if (!hold) return [];
  const action = holdAction(situation, hold);
  return [{ id: `rollout.hold-${percent(share)}`, phase: 'rollout', sentence: hold.ask, action, deadlineMs: quickMs }];
}

function sharesOf({ target }: Situation, slot: Slot, live: Slot | null, share: number): Weights {
  if (!live || share === 1) return shared(target, [slot]);
  return { ...shared(target, []), [live]: percent(1 - share) / 100, [slot]: share };
}

const percent = (share: number): number => Math.round(share * 100);

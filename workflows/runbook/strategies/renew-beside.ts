import { placeOf } from '../places.ts';
import type { Slot } from '../plan.ts';
import {
  type Draft,
  eachMachine,
  idleSlots,
  names,
  oneLiveEach,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
  startAction,
} from '../planning.ts';
import { batchesOf } from './batches.ts';
import { clearLeftovers, startCandidate, stopOld } from './candidate.ts';
import { bake, inOrder } from './renew-pool.ts';
import { firstDeploy } from './rolling.ts';

/**
 * Machine by machine the new version starts beside the old one, is tried there, and takes over that machine's share; the
 * old ones stay warm until the confirmation, so going back is a traffic switch from anywhere.
 */
export function renewBeside(situation: Situation): StrategySteps {
  const { target, runbook, from } = situation;
  const live = oneLiveEach(situation);
  const slots = idleSlots(situation);
  const serves = { weights: shared(target, slots), beforeMigrations: [], notices: [] };
  if (live.length === 0 || !from) return { ...serves, ...firstDeploy(situation, slots), cleanUp: [] };
  const machines = eachMachine(target).length;
  let serving = live;
  const rollout = batchesOf(runbook.rollout.batch, slots, machines).flatMap((batch, index) => {
    const before = serving;
    serving = inOrder(situation, [...before.filter((slot) => !onSameMachine(situation, slot, batch)), ...batch]);
    const candidates = serving.filter((slot) => slots.includes(slot));
    const stable = serving.filter((slot) => !slots.includes(slot));
    return [
      ...startCandidate(situation, batch),
      takeOver(situation, index + 1, batch, before, serving),
      ...bake(situation, index + 1, candidates, stable),
    ];
  });
  return {
    ...serves,
    servesFrom: 'rollout.in-1',
    rollout: [...clearLeftovers(situation), ...rollout],
    cleanUp: stopOld(situation, live),
  };
}

function onSameMachine({ target }: Situation, slot: Slot, batch: Slot[]): boolean {
  const { host } = placeOf(target, slot);
  return batch.some((other) => placeOf(target, other).host === host);
}

function takeOver(situation: Situation, count: number, batch: Slot[], before: Slot[], after: Slot[]): Draft {
  const { runbook, release, from, target, live } = situation;
  const back = before.filter((slot) => !after.includes(slot));
  const old = back.filter((slot) => live.includes(slot));
  return {
    id: `rollout.in-${count}`,
    phase: 'rollout',
    sentence: `Let ${runbook.service} ${release.version} in ${names(batch)} take over`,
    action: shiftAction(situation, shared(target, after), batch),
    undo: {
      sentence: `Share the traffic among ${names(before)} again`,
      actions: [
        ...(old.length > 0 ? [startAction(situation, from!, old)] : []),
        shiftAction(situation, shared(target, before), old),
      ],
    },
    deadlineMs: shiftDeadline(situation),
  };
}

import type { Slot } from '../plan.ts';
import {
  type Draft,
  eachMachine,
  instance,
  liveOrEmptySlots,
  names,
  oneLiveEach,
  probeAction,
  type Situation,
  type StrategySteps,
  shared,
  stopDeadline,
} from '../planning.ts';
import { batchesOf, describeBatches } from './batches.ts';
import { clearLeftovers, startCandidate, tryCandidate } from './candidate.ts';
import { bake, inOrder } from './renew-pool.ts';
import { firstDeploy } from './rolling.ts';
import { shiftTo } from './shift-to.ts';

/**
 * The running instance takes up the new version without ending: its own graceful reload, machine by machine, without the
 * proxy. Going back is another reload.
 */
export function reload(situation: Situation): StrategySteps {
  const { target, runbook, from } = situation;
  const live = oneLiveEach(situation);
  const slots = liveOrEmptySlots(situation);
  const serves = { weights: shared(target, slots), beforeMigrations: [], cleanUp: [] };
  if (live.length === 0 || !from) return { ...serves, ...firstDeploy(situation, slots), notices: [] };
  const batches = batchesOf(runbook.rollout.batch, live, eachMachine(target).length);
  const idle = slots.filter((slot) => !live.includes(slot));
  const renewed: Slot[] = [];
  const rollout = batches.flatMap((batch, index) => {
    renewed.push(...batch);
    const stable = live.filter((slot) => !renewed.includes(slot));
    return [
      reloadStep(situation, batch),
      ...tryCandidate(situation, batch),
      ...bake(situation, index + 1, [...renewed], stable),
    ];
  });
  return {
    ...serves,
    servesFrom: 'rollout.reload',
    rollout: [...clearLeftovers(situation), ...rollout, ...bringIn(situation, idle, inOrder(situation, slots))],
    notices: [
      `The running instances take up the new version by their own reload, ${describeBatches(batches)}: the version before ` +
        'does not stay alive beside it, and going back is another reload.',
    ],
  };
}

function reloadStep(situation: Situation, slots: Slot[]): Draft {
  const { runbook, release, from } = situation;
  const name = (version: string) => `${runbook.service} ${version}`;
  return {
    id: 'rollout.reload',
    phase: 'rollout',
    sentence: `Reload ${names(slots)} into ${name(release.version)}`,
    action: { kind: 'reload', slots, instance: instance(situation, release) },
    undo: {
      sentence: `Reload ${names(slots)} back into ${name(from!.version)}`,
      actions: [{ kind: 'reload', slots, instance: instance(situation, from!) }, probeAction(situation, slots)],
    },
    deadlineMs: stopDeadline(situation),
  };
}

/** Machines on which nothing served yet. */
function bringIn(situation: Situation, idle: Slot[], after: Slot[]): Draft[] {
  const { live, target } = situation;
  if (idle.length === 0) return [];
  const start = startCandidate(situation, idle);
  if (!target.traffic) return start;
  return [...start, shiftTo(situation, 'rollout.in', `Bring ${names(idle)} into the traffic`, live, after)];
}

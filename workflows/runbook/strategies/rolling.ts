import { isFleet, slotsOf } from '../places.ts';
import type { Slot } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import { eachMachine, names, type Situation, type StrategySteps, shared } from '../planning.ts';
import { batchesOf, describeBatches, refuseAllAtOnce } from './batches.ts';
import { clearLeftovers, demandProxy, startCandidate } from './candidate.ts';
import { renewBeside } from './renew-beside.ts';
import { renewPool } from './renew-pool.ts';
import { shiftTo } from './shift-to.ts';

/**
 * Batch by batch, while the others serve. A machine with two ports gets the new version beside the old one, which stays
 * warm; where there is one port, the instance leaves the traffic, is drained, renewed, probed, and comes back in. What
 * fails stops it there, and the batches before are brought back.
 */
export function rolling(situation: Situation): StrategySteps {
  const { target } = situation;
  if (!isFleet(target)) demandProxy(situation);
  if (isFleet(target) && target.traffic && eachMachine(target)[0]!.length > 1) return renewBeside(situation);
  return inPlace(situation);
}

function inPlace(situation: Situation): StrategySteps {
  const { target, live, runbook, from } = situation;
  const pool = slotsOf(target);
  if (pool.length < 2 && !isFleet(target)) {
    throw new PlanRefused(
      'PoolTooSmall',
      `rolling needs two slots or more, and ${target.name} has ${pool.join(', ')}: give it more ports, or use blue-green.`,
    );
  }
  const serves = { weights: shared(target, pool), beforeMigrations: [], cleanUp: [] };
  if (live.length === 0 || !from) return { ...serves, ...firstDeploy(situation, pool), notices: [] };
  const idle = pool.filter((slot) => !live.includes(slot));
  const renewed = batchesOf(runbook.rollout.batch, illFirst(situation), pool.length);
  if (target.traffic) refuseAllAtOnce(renewed, pool.length);
  const batches = [...(idle.length > 0 ? [idle] : []), ...renewed];
  return {
    ...serves,
    servesFrom: target.traffic ? 'rollout.in-1' : 'rollout.start',
    rollout: [...clearLeftovers(situation), ...renewPool(situation, batches)],
    notices: [cost(situation, batches)],
  };
}

function cost({ target, live }: Situation, batches: Slot[][]): string {
  const how = `The ${live.length} instances are renewed in place, ${describeBatches(batches)}`;
  if (target.traffic) return `${how}: going back renews them once more, while the others serve.`;
  return `${how}: no proxy of ${target.name} is known, so each is down from its stop until the new one answers.`;
}

/** Who has died is renewed first: taking out somebody who serves would leave the traffic to it. */
function illFirst({ live, observed, target }: Situation): Slot[] {
  const ill = live.filter((slot) => !observed.slots[slot]?.running);
  if (ill.length < live.length || !target.traffic) return [...ill, ...live.filter((slot) => !ill.includes(slot))];
  throw new PlanRefused(
    'PoolIll',
    `nothing runs in ${names(live)} of ${target.name}. Bring it back first with \`holdpoint rollback\`.`,
  );
}

/** Nothing serves yet: all are started, then all get traffic. */
export function firstDeploy(situation: Situation, slots: Slot[]): Pick<StrategySteps, 'servesFrom' | 'rollout'> {
  const started = [...clearLeftovers(situation, []), ...startCandidate(situation, slots)];
  if (!situation.target.traffic) return { servesFrom: 'rollout.start', rollout: started };
  const shift = shiftTo(situation, 'rollout.shift', `Share the traffic among ${names(slots)}`, [], slots);
  return { servesFrom: shift.id, rollout: [...started, shift] };
}

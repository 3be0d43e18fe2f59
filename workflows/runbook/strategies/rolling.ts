import type { Slot } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import { type Situation, type StrategySteps, shared, slotsOf } from '../planning.ts';
import { batchesOf } from './batches.ts';
import { clearLeftovers, demandProxy, startCandidate } from './candidate.ts';
import { renewPool } from './renew-pool.ts';
import { shiftTo } from './shift-to.ts';

/**
 * Every slot of the pool serves; batch by batch leaves the traffic, is drained, renewed, probed, and comes back in.
 * The others serve meanwhile. What fails stops it there, and the batches before are renewed back.
 */
export function rolling(situation: Situation): StrategySteps {
  demandProxy(situation);
  const { target, live, runbook, from } = situation;
  const pool = slotsOf(target);
  if (pool.length < 2) {
    throw new PlanRefused(
      'PoolTooSmall',
      `rolling needs two slots or more, and ${target.name} has ${pool.join(', ')}: give it more ports, or use blue-green.`,
    );
  }
  const serves = { weights: shared(target, pool), beforeMigrations: [], cleanUp: [] };
  if (live.length === 0 || !from) return { ...serves, ...firstDeploy(situation, pool), notices: [] };
  const idle = pool.filter((slot) => !live.includes(slot));
  const batches = [
    ...(idle.length > 0 ? [idle] : []),
    ...batchesOf(runbook.rollout.batch, illFirst(situation), pool.length),
  ];
  return {
    ...serves,
    servesFrom: 'rollout.in-1',
    rollout: [...clearLeftovers(situation), ...renewPool(situation, batches)],
    notices: [
      `The ${live.length} instances are renewed in place, ${describe(batches)}: going back renews them once more, ` +
        'while the others serve.',
    ],
  };
}

/** Who has died is renewed first: taking out somebody who serves would leave the traffic to it. */
function illFirst({ live, observed, target }: Situation): Slot[] {
  const ill = live.filter((slot) => !observed.slots[slot]?.running);
  if (ill.length < live.length) return [...ill, ...live.filter((slot) => !ill.includes(slot))];
  throw new PlanRefused(
    'PoolIll',
    `nothing runs in ${live.join(', ')} of ${target.name}. Bring it back first with \`holdpoint rollback\`.`,
  );
}

/** Nothing serves yet: all are started, then all get traffic. */
function firstDeploy(situation: Situation, pool: Slot[]): Pick<StrategySteps, 'servesFrom' | 'rollout'> {
  const shift = shiftTo(situation, 'rollout.shift', `Share the traffic among ${pool.join(', ')}`, [], pool);
  return {
    servesFrom: shift.id,
    rollout: [...clearLeftovers(situation, []), ...pool.flatMap((slot) => startCandidate(situation, slot)), shift],
  };
}

function describe(batches: Slot[][]): string {
  const sizes = batches.map(({ length }) => length);
  return sizes.every((size) => size === sizes[0]) ? `${sizes[0]} at a time` : `in batches of ${sizes.join(', ')}`;
}

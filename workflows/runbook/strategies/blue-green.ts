import {
  type Draft,
  idleSlots,
  names,
  oneLiveEach,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
} from '../planning.ts';
import { clearLeftovers, demandProxy, giveBack, startCandidate, stopOld } from './candidate.ts';

/**
 * The new version starts beside the old one, on every machine before the first switch, is tried there, then gets all
 * traffic at once; the old one stays warm.
 */
export function blueGreen(situation: Situation): StrategySteps {
  demandProxy(situation);
  const { runbook, release, target } = situation;
  const live = oneLiveEach(situation);
  const slots = idleSlots(situation);
  const weights = shared(target, slots);
  const shift: Draft = {
    id: 'rollout.shift',
    phase: 'rollout',
    sentence: `Give all traffic to ${runbook.service} ${release.version} in ${names(slots)}`,
    action: shiftAction(situation, weights, slots),
    undo: giveBack(situation, live),
    deadlineMs: shiftDeadline(situation),
  };
  return {
    weights,
    servesFrom: shift.id,
    beforeMigrations: [],
    rollout: [...clearLeftovers(situation), ...startCandidate(situation, slots), shift],
    cleanUp: stopOld(situation, live),
    notices: [],
  };
}

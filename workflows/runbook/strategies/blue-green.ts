import {
  type Draft,
  idleSlot,
  onlyLive,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
} from '../planning.ts';
import { clearLeftovers, demandProxy, giveBack, startCandidate, stopOld } from './candidate.ts';

/** The new version starts beside the old one, is tried there, then gets all traffic at once; the old one stays warm. */
export function blueGreen(situation: Situation): StrategySteps {
  demandProxy(situation);
  const { runbook, release, target } = situation;
  const live = onlyLive(situation);
  const slot = idleSlot(situation);
  const weights = shared(target, [slot]);
  const shift: Draft = {
    id: 'rollout.shift',
    phase: 'rollout',
    sentence: `Give all traffic to ${runbook.service} ${release.version} in ${slot}`,
    action: shiftAction(situation, weights, [slot]),
    undo: giveBack(situation, live),
    deadlineMs: shiftDeadline(situation),
  };
  return {
    weights,
    servesFrom: shift.id,
    beforeMigrations: [],
    rollout: [...clearLeftovers(situation), ...startCandidate(situation, slot), shift],
    cleanUp: stopOld(situation, live),
    notices: [],
  };
}

import type { Slot, Step } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import {
  other,
  probeOf,
  quickMs,
  type Situation,
  type StrategySteps,
  shiftAction,
  startAction,
  stopAction,
  stopDeadline,
} from '../planning.ts';
import { clearLeftover, startCandidate } from './candidate.ts';

/** The new version starts beside the old one, is tried there, then gets all traffic at once; the old one stays warm. */
export function blueGreen(situation: Situation): StrategySteps {
  const { target, live } = situation;
  if (!target.traffic) {
    throw new PlanRefused(
      'NoProxy',
      `blue-green needs a proxy that switches traffic, and ${target.name} has none in environment ` +
        `${situation.environment}. Give it one (traffic:), or use strategy: recreate, which has an outage.`,
    );
  }
  const slot = live ? other(live) : 'blue';
  return {
    slot,
    servesFrom: 'rollout.shift',
    beforeMigrations: [],
    rollout: [...clearLeftover(situation, slot), ...startCandidate(situation, slot), shiftStep(situation, slot)],
    cleanUp: stopOld(situation),
    notices: [],
  };
}

function shiftStep(situation: Situation, slot: Slot): Step {
  const { runbook, release, from, live } = situation;
  const undo =
    live && from
      ? {
          sentence: `Give all traffic back to ${runbook.service} ${from.version} in ${live}`,
          actions: [startAction(situation, from, live), shiftAction(situation, live)],
        }
      : { sentence: 'Nothing served before: traffic stays where it is', actions: [] };
  return {
    id: 'rollout.shift',
    phase: 'rollout',
    sentence: `Give all traffic to ${runbook.service} ${release.version} in ${slot}`,
    action: shiftAction(situation, slot),
    undo,
    deadlineMs: quickMs + probeOf(situation).deadlineMs,
  };
}

function stopOld(situation: Situation): Step[] {
  const { runbook, from, live } = situation;
  if (!live || !from || runbook.rollout.old === 'keep') return [];
  return [
    {
      id: 'confirm.stop-old',
      phase: 'confirm',
      sentence: `Drain and stop ${runbook.service} ${from.version} in ${live}`,
      action: stopAction(situation, live, 'leave running'),
      deadlineMs: stopDeadline(situation),
    },
  ];
}

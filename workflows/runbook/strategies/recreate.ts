import type { Slot, Step } from '../plan.ts';
import {
  probeAction,
  quickMs,
  type Situation,
  type StrategySteps,
  shiftAction,
  startAction,
  stopAction,
  stopDeadline,
} from '../planning.ts';
import { clearLeftover, startCandidate } from './candidate.ts';

/** Stop the old version, migrate, start the new one in its place: an outage, announced in the plan. */
export function recreate(situation: Situation): StrategySteps {
  const { runbook, live, from } = situation;
  const slot = live ?? 'blue';
  const outage = `${runbook.service} is down from the stop of ${from?.version} until ${situation.release.version} answers`;
  return {
    slot,
    beforeMigrations: stopOld(situation),
    rollout: [
      ...(live ? [] : clearLeftover(situation, slot)),
      ...startCandidate(situation, slot),
      ...pointTraffic(situation, slot),
    ],
    cleanUp: [],
    notices: live ? [`${outage}: strategy recreate has an outage. blue-green behind a proxy has none.`] : [],
  };
}

function stopOld(situation: Situation): Step[] {
  const { runbook, live, from, observed } = situation;
  if (!live || !from) return [];
  const phase = observed.migrations?.pending.length ? 'migrate' : 'rollout';
  const old = `${runbook.service} ${from.version}`;
  return [
    {
      id: `${phase}.stop-old`,
      phase,
      sentence: `Drain and stop ${old} in ${live}: the outage begins`,
      action: stopAction(situation, live),
      undo: {
        sentence: `Start ${old} in ${live} again and wait until it answers`,
        actions: [startAction(situation, from, live), probeAction(situation, live)],
      },
      deadlineMs: stopDeadline(situation),
    },
  ];
}

/** Only a first deploy has to point the proxy here: afterwards the slot stays the same. */
function pointTraffic(situation: Situation, slot: Slot): Step[] {
  const { runbook, release, target, observed } = situation;
  if (!target.traffic || observed.weights?.[slot] === 1) return [];
  return [
    {
      id: 'rollout.shift',
      phase: 'rollout',
      sentence: `Give all traffic to ${runbook.service} ${release.version} in ${slot}`,
      action: shiftAction(situation, slot),
      undo: { sentence: 'Nothing served before: traffic stays where it is', actions: [] },
      deadlineMs: quickMs,
    },
  ];
}

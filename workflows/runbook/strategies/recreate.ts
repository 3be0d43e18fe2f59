import type { Slot } from '../plan.ts';
import {
  type Draft,
  emptySlot,
  onlyLive,
  probeAction,
  type Situation,
  type StrategySteps,
  shared,
  shiftAction,
  shiftDeadline,
  startAction,
  stopDeadline,
  stopInTraffic,
} from '../planning.ts';
import { clearLeftovers, startCandidate } from './candidate.ts';

/** Stop the old version, migrate, start the new one in its place: an outage, announced in the plan. */
export function recreate(situation: Situation): StrategySteps {
  const { observed, target } = situation;
  const live = onlyLive(situation);
  const slot = live ?? emptySlot(situation);
  // Old code must not run while its schema changes; without a change it runs until the last moment.
  const migrates = Boolean(observed.migrations?.pending.length);
  const stopFirst = stopOld(situation, live, migrates ? 'migrate' : 'rollout');
  return {
    weights: shared(target, [slot]),
    servesFrom: 'rollout.start',
    beforeMigrations: migrates ? stopFirst : [],
    rollout: [
      ...clearLeftovers(situation),
      ...(migrates ? [] : stopFirst),
      ...startCandidate(situation, slot, stopInTraffic(situation, slot)),
      ...pointTraffic(situation, slot),
    ],
    cleanUp: [],
    notices: outage(situation),
  };
}

function outage({ runbook, live, from, release, target }: Situation): string[] {
  if (live.length === 0) return [];
  const down = `${runbook.service} on ${target.name} is down from the stop of ${from?.version} until ${release.version} answers`;
  return [`${down}: strategy recreate has an outage. blue-green behind a proxy has none.`];
}

function stopOld(situation: Situation, live: Slot | null, phase: 'migrate' | 'rollout'): Draft[] {
  const { runbook, from } = situation;
  if (!live || !from) return [];
  const old = `${runbook.service} ${from.version}`;
  return [
    {
      id: `${phase}.stop-old`,
      phase,
      sentence: `Stop ${old} in ${live}: the outage begins`,
      action: stopInTraffic(situation, live),
      undo: {
        sentence: `Start ${old} in ${live} again and wait until it is up`,
        actions: [startAction(situation, from, live), probeAction(situation, live)],
      },
      deadlineMs: stopDeadline(situation),
    },
  ];
}

/** Only a first deploy has to point the proxy here: afterwards the slot stays the same. */
function pointTraffic(situation: Situation, slot: Slot): Draft[] {
  const { runbook, release, target, observed } = situation;
  if (!target.traffic || observed.weights?.[slot] === 1) return [];
  return [
    {
      id: 'rollout.shift',
      phase: 'rollout',
      sentence: `Give all traffic to ${runbook.service} ${release.version} in ${slot}`,
      action: shiftAction(situation, shared(target, [slot]), [slot]),
      undo: { sentence: 'Nothing served before: traffic stays where it is', actions: [] },
      deadlineMs: shiftDeadline(situation),
    },
  ];
}

import type { Slot } from '../plan.ts';
import {
  type Draft,
  liveOrEmptySlots,
  names,
  oneLiveEach,
  probeAction,
  type Situation,
  type StrategySteps,
  serving,
  shared,
  shiftAction,
  shiftDeadline,
  startAction,
  stopDeadline,
  stopInTraffic,
} from '../planning.ts';
import { clearLeftovers, nobodyBefore, startCandidate } from './candidate.ts';

/** Stop the old version, migrate, start the new one in its place: an outage, announced in the plan. */
export function recreate(situation: Situation): StrategySteps {
  const { observed, target } = situation;
  const live = oneLiveEach(situation);
  const slots = liveOrEmptySlots(situation);
  // Old code must not run while its schema changes; without a change it runs until the last moment.
  const migrates = Boolean(observed.migrations?.pending.length);
  const stopFirst = stopOld(situation, live, migrates ? 'migrate' : 'rollout');
  return {
    weights: shared(target, slots),
    servesFrom: 'rollout.start',
    beforeMigrations: migrates ? stopFirst : [],
    rollout: [
      ...clearLeftovers(situation),
      ...(migrates ? [] : stopFirst),
      ...startCandidate(situation, slots, stopInTraffic(situation, slots)),
      ...pointTraffic(situation, slots),
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

function stopOld(situation: Situation, live: Slot[], phase: 'migrate' | 'rollout'): Draft[] {
  const { runbook, from } = situation;
  if (live.length === 0 || !from) return [];
  const old = `${runbook.service} ${from.version}`;
  return [
    {
      id: `${phase}.stop-old`,
      phase,
      sentence: `Stop ${old} in ${names(live)}: the outage begins`,
      action: stopInTraffic(situation, live),
      undo: {
        sentence: `Start ${old} in ${names(live)} again and wait until it is up`,
        actions: [startAction(situation, from, live), probeAction(situation, live)],
      },
      deadlineMs: stopDeadline(situation),
    },
  ];
}

/** Machines that have come to the fleet lose their share again. */
function pointBack(situation: Situation) {
  const { live, target } = situation;
  return {
    sentence: `Share the traffic among ${names(live)} again`,
    actions: [shiftAction(situation, shared(target, live), [])],
  };
}

/** Only a first deploy, or a fleet that has grown, has to point the proxy here: afterwards the slot stays the same. */
function pointTraffic(situation: Situation, slots: Slot[]): Draft[] {
  const { runbook, release, target, observed, live } = situation;
  const pointed = serving(observed.weights ?? {});
  if (!target.traffic || (pointed.length === slots.length && pointed.every((slot) => slots.includes(slot)))) return [];
  return [
    {
      id: 'rollout.shift',
      phase: 'rollout',
      sentence: `Give all traffic to ${runbook.service} ${release.version} in ${names(slots)}`,
      action: shiftAction(situation, shared(target, slots), slots),
      undo: live.length > 0 ? pointBack(situation) : nobodyBefore,
      deadlineMs: shiftDeadline(situation),
    },
  ];
}

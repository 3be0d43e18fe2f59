import { toMs } from '../duration.ts';
import { byVersion } from '../found-in-slots.ts';
import { describeTest, smokeTest, testsMs } from '../lines.ts';
import { placeOf, slotsOf } from '../places.ts';
import type { Slot } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import {
  type Draft,
  names,
  probeAction,
  quickMs,
  type Situation,
  shared,
  shiftAction,
  startAction,
  stopAction,
  stopDeadline,
} from '../planning.ts';

/** Throws PlanRefused where nothing can switch traffic. */
export function demandProxy({ target, strategy, environment }: Situation): void {
  if (target.traffic) return;
  throw new PlanRefused(
    'NoProxy',
    `${strategy} needs a proxy that switches traffic, and ${target.name} has none in environment ` +
      `${environment}. Give it one (traffic:), or use strategy: recreate, which has an outage.`,
  );
}

/** Start the new version in slots, wait until it answers, and try it there with real requests; `stop` takes it back. */
export function startCandidate(situation: Situation, slots: Slot[], stop = stopAction(situation, slots)): Draft[] {
  const { runbook, release } = situation;
  const name = `${runbook.service} ${release.version}`;
  const start: Draft = {
    id: 'rollout.start',
    phase: 'rollout',
    sentence: `Start ${name} in ${names(slots)}${portOf(situation, slots)}`,
    action: startAction(situation, release, slots),
    undo: { sentence: `${stop.drainMs > 0 ? 'Drain and stop' : 'Stop'} ${name} in ${names(slots)}`, actions: [stop] },
    // Whoever builds while starting may take as long as an instance may take to get ready.
    deadlineMs: quickMs + toMs(runbook.rollout.deadline),
  };
  return [start, ...tryCandidate(situation, slots)];
}

/** Wait until the new version answers in its slots, and try it there with real requests. */
export function tryCandidate(situation: Situation, slots: Slot[]): Draft[] {
  return [probeStep(situation, slots), ...smokeSteps(situation, slots)];
}

function portOf({ target }: Situation, slots: Slot[]): string {
  const ports = new Set(slots.map((slot) => placeOf(target, slot).port));
  return ports.size === 1 ? ` on port ${[...ports][0]}` : '';
}

function probeStep(situation: Situation, slots: Slot[]): Draft {
  const { runbook, release } = situation;
  const action = probeAction(situation, slots);
  const { path } = action.probe;
  const where = slots.length > 1 ? ` in ${names(slots)}` : '';
  return {
    id: 'rollout.probe',
    phase: 'rollout',
    sentence: `Wait until ${runbook.service} ${release.version}${where} ${path === null ? 'is healthy' : `answers GET ${path}`}`,
    action,
    deadlineMs: toMs(runbook.rollout.deadline),
  };
}

function smokeSteps(situation: Situation, slots: Slot[]): Draft[] {
  const { runbook, release } = situation;
  const tests = runbook.verify.smoke.map(smokeTest);
  if (tests.length === 0) return [];
  return [
    {
      id: 'rollout.smoke',
      phase: 'rollout',
      sentence: `Try ${runbook.service} ${release.version} in ${names(slots)}: ${tests.map(describeTest).join(', ')}`,
      action: { kind: 'smoke', at: slots, tests },
      deadlineMs: testsMs(tests),
    },
  ];
}

/** What an unfinished deploy, or `old: keep`, left where nothing serves. It gets no traffic, so going back does not need it. */
export function clearLeftovers(situation: Situation, except: Slot[] = situation.live): Draft[] {
  const { observed, runbook, target } = situation;
  const left = slotsOf(target).filter((slot) => !except.includes(slot));
  return byVersion(observed, left).map(
    ([version, slots]): Draft => ({
      id: 'rollout.clear',
      phase: 'rollout',
      sentence: `Clear ${names(slots)}, without traffic, of ${runbook.service} ${version}`,
      action: stopAction(situation, slots),
      deadlineMs: stopDeadline(situation),
    }),
  );
}

/** The old one gets its traffic back; it still runs, and is started where it has died meanwhile. */
export function giveBack(situation: Situation, live: Slot[]) {
  const { runbook, from, target } = situation;
  if (live.length === 0 || !from) return nobodyBefore;
  return {
    sentence: `Give all traffic back to ${runbook.service} ${from.version} in ${names(live)}`,
    actions: [startAction(situation, from, live), shiftAction(situation, shared(target, live), live)],
  };
}

export const nobodyBefore = { sentence: 'Nothing served before: traffic stays where it is', actions: [] };

/** After the confirmation. */
export function stopOld(situation: Situation, live: Slot[]): Draft[] {
  const { runbook, from } = situation;
  if (live.length === 0 || !from || runbook.rollout.old === 'keep') return [];
  return [
    {
      id: 'confirm.stop-old',
      phase: 'confirm',
      sentence: `Drain and stop ${runbook.service} ${from.version} in ${names(live)}`,
      action: stopAction(situation, live, 'leave running'),
      deadlineMs: stopDeadline(situation),
    },
  ];
}

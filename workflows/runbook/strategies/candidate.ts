import { toMs } from '../duration.ts';
import { describeTest, smokeTest, testsMs } from '../lines.ts';
import type { Slot } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import {
  type Draft,
  probeAction,
  quickMs,
  type Situation,
  shared,
  shiftAction,
  slotsOf,
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

/** Start the new version in a slot, wait until it answers, and try it there with real requests; `stop` takes it back. */
export function startCandidate(situation: Situation, slot: Slot, stop = stopAction(situation, slot)): Draft[] {
  const { runbook, release, target } = situation;
  const name = `${runbook.service} ${release.version}`;
  const start: Draft = {
    id: 'rollout.start',
    phase: 'rollout',
    sentence: `Start ${name} in ${slot} on port ${target.ports[slot]}`,
    action: startAction(situation, release, slot),
    undo: { sentence: `${stop.drainMs > 0 ? 'Drain and stop' : 'Stop'} ${name} in ${slot}`, actions: [stop] },
    // Whoever builds while starting may take as long as an instance may take to get ready.
    deadlineMs: quickMs + toMs(runbook.rollout.deadline),
  };
  return [start, probeStep(situation, slot), ...smokeSteps(situation, slot)];
}

function probeStep(situation: Situation, slot: Slot): Draft {
  const { runbook, release } = situation;
  const action = probeAction(situation, slot);
  const { path } = action.probe;
  return {
    id: 'rollout.probe',
    phase: 'rollout',
    sentence: `Wait until ${runbook.service} ${release.version} ${path === null ? 'is healthy' : `answers GET ${path}`}`,
    action,
    deadlineMs: toMs(runbook.rollout.deadline),
  };
}

function smokeSteps(situation: Situation, slot: Slot): Draft[] {
  const { runbook, release } = situation;
  const tests = runbook.verify.smoke.map(smokeTest);
  if (tests.length === 0) return [];
  return [
    {
      id: 'rollout.smoke',
      phase: 'rollout',
      sentence: `Try ${runbook.service} ${release.version} in ${slot}: ${tests.map(describeTest).join(', ')}`,
      action: { kind: 'smoke', at: slot, tests },
      deadlineMs: testsMs(tests),
    },
  ];
}

/** What an unfinished deploy, or `old: keep`, left where nothing serves. It gets no traffic, so going back does not need it. */
export function clearLeftovers(situation: Situation, except: Slot[] = situation.live): Draft[] {
  const { observed, runbook, target } = situation;
  return slotsOf(target).flatMap((slot): Draft[] => {
    const left = observed.slots[slot];
    if (!left || except.includes(slot)) return [];
    return [
      {
        id: 'rollout.clear',
        phase: 'rollout',
        sentence: `Clear ${slot}, which has no traffic, of ${runbook.service} ${left.release}`,
        action: stopAction(situation, slot),
        deadlineMs: stopDeadline(situation),
      },
    ];
  });
}

/** The old one gets its traffic back; it still runs, and is started where it has died meanwhile. */
export function giveBack(situation: Situation, live: Slot | null) {
  const { runbook, from, target } = situation;
  if (!live || !from) return { sentence: 'Nothing served before: traffic stays where it is', actions: [] };
  return {
    sentence: `Give all traffic back to ${runbook.service} ${from.version} in ${live}`,
    actions: [startAction(situation, from, live), shiftAction(situation, shared(target, [live]), [live])],
  };
}

/** After the confirmation. */
export function stopOld(situation: Situation, live: Slot | null): Draft[] {
  const { runbook, from } = situation;
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

import { toMs } from '../duration.ts';
import { describeTest, smokeTest, testsMs } from '../lines.ts';
import type { Slot, Step } from '../plan.ts';
import { probeAction, quickMs, type Situation, startAction, stopAction, stopDeadline } from '../planning.ts';

/** Start the new version in a slot, wait until it answers, and try it there with real requests; `stop` takes it back. */
export function startCandidate(situation: Situation, slot: Slot, stop = stopAction(situation, slot)): Step[] {
  const { runbook, release, target } = situation;
  const name = `${runbook.service} ${release.version}`;
  const probe = probeAction(situation, slot);
  const tests = runbook.verify.smoke.map(smokeTest);
  const steps: Step[] = [
    {
      id: 'rollout.start',
      phase: 'rollout',
      sentence: `Start ${name} in ${slot} on port ${target.ports[slot]}`,
      action: startAction(situation, release, slot),
      undo: { sentence: `${stop.drainMs > 0 ? 'Drain and stop' : 'Stop'} ${name} in ${slot}`, actions: [stop] },
      deadlineMs: quickMs,
    },
    {
      id: 'rollout.probe',
      phase: 'rollout',
      sentence: `Wait until ${name} answers GET ${probe.probe.path}`,
      action: probe,
      deadlineMs: toMs(runbook.rollout.deadline),
    },
  ];
  if (tests.length === 0) return steps;
  const smoke: Step = {
    id: 'rollout.smoke',
    phase: 'rollout',
    sentence: `Try ${name} in ${slot}: ${tests.map(describeTest).join(', ')}`,
    action: { kind: 'smoke', at: slot, tests },
    deadlineMs: testsMs(tests),
  };
  return [...steps, smoke];
}

/** What an unfinished deploy, or `old: keep`, left in the idle slot. It gets no traffic, so going back does not need it. */
export function clearLeftover(situation: Situation, slot: Slot): Step[] {
  const left = situation.observed.slots[slot];
  if (!left) return [];
  return [
    {
      id: 'rollout.clear',
      phase: 'rollout',
      sentence: `Clear ${slot}, the idle slot, of ${situation.runbook.service} ${left.release}`,
      action: stopAction(situation, slot),
      deadlineMs: stopDeadline(situation),
    },
  ];
}

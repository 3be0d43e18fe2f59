import { toMs } from './duration.ts';
import type { Slot, Step } from './plan.ts';
import {
  type Draft,
  type PlanInput,
  phaseOf,
  probeAction,
  quickMs,
  serving,
  shared,
  shiftAction,
  shiftDeadline,
  slotsOf,
  startAction,
  stopAction,
  stopDeadline,
  stopInTraffic,
} from './planning.ts';
import type { Goal } from './rollback-goal.ts';

/**
 * Slot by slot to the goal: what is wrong there goes (out of the traffic first where another slot can serve meanwhile),
 * the goal's release starts and is probed; then it gets all traffic, is recorded, and what is left elsewhere is stopped.
 */
export function rollbackSteps(input: PlanInput, goal: Goal): Draft[] {
  const { runbook, observed, target } = input;
  const name = `${runbook.service} ${goal.release.version}`;
  const steps: Draft[] = [];
  const mended = new Set<Slot>();
  let served = observed.weights ? serving(observed.weights) : [];
  for (const slot of wrongFirst(input, goal)) {
    const there = observed.slots[slot];
    const isGoal = there?.release === goal.release.version;
    if (there && !isGoal) {
      const well = (other: Slot) => mended.has(other) || runs(input, other);
      const others = served.filter((other) => other !== slot && goal.slots.includes(other) && well(other));
      const leaves = target.traffic && served.includes(slot) && others.length > 0;
      if (leaves) {
        steps.push(shift(input, 'rollout.out', `Take ${slot} out of the traffic`, others, []));
        served = others;
      }
      steps.push(clear(input, slot, served));
    }
    const verb = there?.running && isGoal ? 'Keep' : 'Start';
    steps.push(
      step('rollout.start', `${verb} ${name} in ${slot}`, startAction(input, goal.release, slot)),
      step(
        'rollout.probe',
        `Wait until ${name} is up in ${slot}`,
        probeAction(input, slot),
        toMs(runbook.rollout.deadline),
      ),
    );
    mended.add(slot);
    if (goal.slots.length > 1 && target.traffic) {
      served = slotsOf(target).filter((candidate) => served.includes(candidate) || candidate === slot);
      steps.push(shift(input, 'rollout.in', `Bring ${name} in ${slot} into the traffic`, served, [slot]));
    }
  }
  if (target.traffic) {
    const sentence = `Give all traffic to ${name} in ${goal.slots.join(', ')}`;
    steps.push(shift(input, 'rollout.shift', sentence, goal.slots, goal.slots));
  }
  return [...steps, record(input, goal), ...stopOthers(input, goal)];
}

/** What does not serve can be mended without anybody noticing; what already runs the goal needs nothing. */
function wrongFirst({ observed }: PlanInput, { slots, release }: Goal): Slot[] {
  const rank = (slot: Slot) => {
    if (observed.slots[slot]?.release === release.version) return 0;
    return (observed.weights?.[slot] ?? 0) > 0 ? 2 : 1;
  };
  return slots.toSorted((one, other) => rank(one) - rank(other));
}

const runs = ({ observed }: PlanInput, slot: Slot): boolean => observed.slots[slot]?.running === true;

function clear(input: PlanInput, slot: Slot, served: Slot[]): Draft {
  const { runbook, observed } = input;
  const sentence = `Stop ${runbook.service} ${observed.slots[slot]!.release} in ${slot}`;
  const inTraffic = observed.weights === null || served.includes(slot);
  const stop = inTraffic ? stopInTraffic(input, slot) : stopAction(input, slot);
  return step('rollout.clear', sentence, stop, stopDeadline(input));
}

function shift(input: PlanInput, id: string, sentence: string, slots: Slot[], fresh: Slot[]): Draft {
  return step(id, sentence, shiftAction(input, shared(input.target, slots), fresh), shiftDeadline(input));
}

function record({ runbook, target }: PlanInput, { release, slots, previous }: Goal): Draft {
  return step('confirm.record', `Record ${runbook.service} ${release.version} as the confirmed version`, {
    kind: 'confirm',
    weights: shared(target, slots),
    release,
    previous,
  });
}

function stopOthers(input: PlanInput, goal: Goal): Draft[] {
  const { runbook, observed, target } = input;
  return slotsOf(target).flatMap((slot): Draft[] => {
    const leaving = observed.slots[slot];
    if (!leaving || goal.slots.includes(slot)) return [];
    const sentence = `Drain and stop ${runbook.service} ${leaving.release} in ${slot}`;
    return [step('confirm.stop-other', sentence, stopAction(input, slot), stopDeadline(input))];
  });
}

/** Said before a rollback that has one. */
export function rollbackOutage({ runbook, observed, target }: PlanInput, { slots, release }: Goal): string[] {
  const [slot] = slots;
  const there = observed.slots[slot!];
  const elsewhere = observed.weights && serving(observed.weights).some((other) => other !== slot);
  if (slots.length > 1 || !there?.running || there.release === release.version || elsewhere) return [];
  return [
    `${runbook.service} on ${target.name} is down from the stop of ${there.release} until ${release.version} answers.`,
  ];
}

function step(id: string, sentence: string, action: Step['action'], deadlineMs = quickMs): Draft {
  return { id, phase: phaseOf(id), sentence, action, deadlineMs };
}

import { toMs } from './duration.ts';
import { byVersion, runsRelease } from './found-in-slots.ts';
import { slotsOf } from './places.ts';
import type { Slot, Step } from './plan.ts';
import {
  type Draft,
  instance,
  names,
  type PlanInput,
  phaseOf,
  probeAction,
  quickMs,
  serving,
  shared,
  shiftAction,
  shiftDeadline,
  startAction,
  stopAction,
  stopDeadline,
  stopInTraffic,
} from './planning.ts';
import type { Goal } from './rollback-goal.ts';
import { batchesOf } from './strategies/batches.ts';

/**
 * Batch by batch to the goal: what is wrong there goes (out of the traffic first where others can serve meanwhile), the
 * goal's release starts and is probed; then it gets all traffic, is recorded, and what is left elsewhere is stopped.
 */
export function rollbackSteps(input: PlanInput, goal: Goal): Draft[] {
  const { target } = input;
  const name = `${input.runbook.service} ${goal.release.version}`;
  const steps = input.strategy === 'reload' ? reloadAll(input, goal) : renewAll(input, goal);
  if (target.traffic) {
    const sentence = `Give all traffic to ${name} in ${names(goal.slots)}`;
    steps.push(shift(input, 'rollout.shift', sentence, goal.slots, goal.slots));
  }
  return [...steps, record(input, goal), ...stopOthers(input, goal)];
}

function renewAll(input: PlanInput, goal: Goal): Draft[] {
  const { observed, target } = input;
  const name = `${input.runbook.service} ${goal.release.version}`;
  const mended = new Set<Slot>();
  let served = observed.weights ? serving(observed.weights) : [];
  return batchesTo(input, goal).flatMap((batch, index, batches) => {
    const steps: Draft[] = [];
    const wrong = batch.filter((slot) => observed.slots[slot] && !runsGoal(input, goal, slot));
    const well = (slot: Slot) => mended.has(slot) || runs(input, slot);
    const others = served.filter((slot) => !batch.includes(slot) && goal.slots.includes(slot) && well(slot));
    if (target.traffic && wrong.some((slot) => served.includes(slot)) && others.length > 0) {
      steps.push(shift(input, 'rollout.out', `Take ${names(wrong)} out of the traffic`, others, []));
      served = others;
    }
    steps.push(...clear(input, wrong, served), ...start(input, goal, batch));
    for (const slot of batch) mended.add(slot);
    // The last one comes in as all others leave.
    if (index < batches.length - 1 && target.traffic) {
      served = slotsOf(target).filter((slot) => served.includes(slot) || batch.includes(slot));
      steps.push(shift(input, 'rollout.in', `Bring ${name} in ${names(batch)} into the traffic`, served, batch));
    }
    return steps;
  });
}

/** What does not serve can be mended at once, without anybody noticing; who serves comes in the runbook's batches. */
function batchesTo(input: PlanInput, goal: Goal): Slot[][] {
  const { weights } = input.observed;
  const quiet = (slot: Slot) => runsGoal(input, goal, slot) || (weights?.[slot] ?? 0) === 0;
  const first = goal.slots.filter(quiet);
  const others = goal.slots.filter((slot) => !quiet(slot));
  const batches = batchesOf(input.runbook.rollout.batch, others, goal.slots.length);
  return first.length > 0 ? [first, ...batches] : batches;
}

function start(input: PlanInput, { release }: Goal, slots: Slot[]): Draft[] {
  const { runbook, observed } = input;
  const name = `${runbook.service} ${release.version}`;
  const there = slots.every((slot) => runsRelease(observed, slot, release));
  return [
    step('rollout.start', `${there ? 'Keep' : 'Start'} ${name} in ${names(slots)}`, startAction(input, release, slots)),
    probe(input, name, slots),
  ];
}

/** The service's own reload needs nobody to leave the traffic; where nothing runs it starts. */
function reloadAll(input: PlanInput, goal: Goal): Draft[] {
  const name = `${input.runbook.service} ${goal.release.version}`;
  const action = { kind: 'reload', slots: goal.slots, instance: instance(input, goal.release) } as const;
  return [
    step('rollout.reload', `Reload ${names(goal.slots)} into ${name}`, action, stopDeadline(input)),
    probe(input, name, goal.slots),
  ];
}

function probe(input: PlanInput, name: string, slots: Slot[]): Draft {
  const sentence = `Wait until ${name} is up in ${names(slots)}`;
  return step('rollout.probe', sentence, probeAction(input, slots), toMs(input.runbook.rollout.deadline));
}

const runs = ({ observed }: PlanInput, slot: Slot): boolean => observed.slots[slot]?.running === true;

const runsGoal = ({ observed }: PlanInput, { release }: Goal, slot: Slot): boolean =>
  observed.slots[slot]?.release === release.version;

function clear(input: PlanInput, wrong: Slot[], served: Slot[]): Draft[] {
  const { runbook, observed } = input;
  const inTraffic = (slot: Slot) => observed.weights === null || served.includes(slot);
  return byVersion(observed, wrong).flatMap(([version, there]) => {
    const groups = [
      { slots: there.filter(inTraffic), stop: stopInTraffic },
      { slots: there.filter((slot) => !inTraffic(slot)), stop: stopAction },
    ];
    return groups.flatMap(({ slots, stop }) => {
      if (slots.length === 0) return [];
      const sentence = `Stop ${runbook.service} ${version} in ${names(slots)}`;
      return [step('rollout.clear', sentence, stop(input, slots), stopDeadline(input))];
    });
  });
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
  const stays = [...goal.slots, ...goal.warm];
  const left = slotsOf(target).filter((slot) => !stays.includes(slot));
  return byVersion(observed, left).map(([version, slots]) => {
    const sentence = `Drain and stop ${runbook.service} ${version} in ${names(slots)}`;
    return step('confirm.stop-other', sentence, stopAction(input, slots), stopDeadline(input));
  });
}

/** Said before a rollback that has one. */
export function rollbackOutage({ runbook, observed, target, strategy }: PlanInput, { slots, release }: Goal): string[] {
  const [slot] = slots;
  const there = observed.slots[slot!];
  const elsewhere = observed.weights && serving(observed.weights).some((other) => other !== slot);
  const stays = slots.length > 1 || strategy === 'reload' || !there?.running || there.release === release.version;
  if (stays || elsewhere) return [];
  return [
    `${runbook.service} on ${target.name} is down from the stop of ${there.release} until ${release.version} answers.`,
  ];
}

function step(id: string, sentence: string, action: Step['action'], deadlineMs = quickMs): Draft {
  return { id, phase: phaseOf(id), sentence, action, deadlineMs };
}

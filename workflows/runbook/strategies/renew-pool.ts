import { toMs } from '../duration.ts';
import { slotsOf } from '../places.ts';
import type { Slot } from '../plan.ts';
import {
  type Draft,
  names,
  probeAction,
  type Situation,
  startAction,
  stopAction,
  stopDeadline,
  stopInTraffic,
} from '../planning.ts';
import { watchStep } from '../watch-step.ts';
import { startCandidate } from './candidate.ts';
import { shiftTo } from './shift-to.ts';

/**
 * Renews the slots batch by batch: out of the traffic, drained and stopped, started anew, probed, back in. A slot that
 * does not serve is only started and brought in. Each step has its undo, so that from anywhere the newest batch
 * is renewed back first.
 */
export function renewPool(situation: Situation, batches: Slot[][]): Draft[] {
  const proxied = situation.target.traffic !== null;
  let serving = situation.live;
  const renewed: Slot[] = [];
  return batches.flatMap((batch, index) => {
    const leaving = batch.filter((slot) => serving.includes(slot));
    const others = serving.filter((slot) => !batch.includes(slot));
    const after = inOrder(situation, [...others, ...batch]);
    const steps: Draft[] = [];
    if (leaving.length > 0) {
      if (proxied) steps.push(takeOut(situation, index + 1, leaving, others, serving));
      steps.push(stopStep(situation, leaving));
    }
    steps.push(...startCandidate(situation, batch, stopOf(situation, batch)));
    if (proxied) steps.push(bringIn(situation, index + 1, batch, after, others));
    renewed.push(...batch);
    serving = after;
    const stable = serving.filter((slot) => !renewed.includes(slot));
    return [...steps, ...bake(situation, index + 1, [...renewed], stable)];
  });
}

function takeOut(situation: Situation, count: number, leaving: Slot[], others: Slot[], serving: Slot[]): Draft {
  const sentence = `Take ${names(leaving)} out of the traffic`;
  return shiftTo(situation, `rollout.out-${count}`, sentence, serving, others);
}

function bringIn(situation: Situation, count: number, batch: Slot[], after: Slot[], others: Slot[]): Draft {
  const { runbook, release } = situation;
  const sentence = `Bring ${runbook.service} ${release.version} in ${names(batch)} into the traffic`;
  return shiftTo(situation, `rollout.in-${count}`, sentence, others, after);
}

/** Where no proxy is known nobody can say when it is drained. */
function stopOf(situation: Situation, slots: Slot[], ifNotDrained: 'stop' | 'leave running' = 'stop') {
  return situation.target.traffic ? stopAction(situation, slots, ifNotDrained) : stopInTraffic(situation, slots);
}

function stopStep(situation: Situation, slots: Slot[]): Draft {
  const { runbook, from, target } = situation;
  const old = `${runbook.service} ${from!.version}`;
  return {
    id: 'rollout.stop-old',
    phase: 'rollout',
    sentence: `${target.traffic ? 'Drain and stop' : 'Stop'} ${old} in ${names(slots)}`,
    action: stopOf(situation, slots, 'leave running'),
    undo: {
      sentence: `Start ${old} in ${names(slots)} again and wait until it is up`,
      actions: [startAction(situation, from!, slots), probeAction(situation, slots)],
    },
    deadlineMs: stopDeadline(situation),
  };
}

/** Only where the runbook says what passes. */
export function bake(situation: Situation, count: number, candidate: Slot[], stable: Slot[]): Draft[] {
  const { analysis: written, bake } = situation.runbook.rollout;
  if (!written || !situation.target.traffic) return [];
  const where = candidate.length === 1 ? ` in ${candidate[0]}` : ` in ${candidate.length} instances`;
  return [watchStep(situation, { id: `rollout.bake-${count}`, where, written, forMs: toMs(bake), candidate, stable })];
}

export const inOrder = ({ target }: Situation, slots: Slot[]): Slot[] =>
  slotsOf(target).filter((slot) => slots.includes(slot));

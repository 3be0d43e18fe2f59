import { toMs } from '../duration.ts';
import type { Slot } from '../plan.ts';
import { type Draft, probeAction, type Situation, startAction, stopAction, stopDeadline } from '../planning.ts';
import { watchStep } from '../watch-step.ts';
import { startCandidate } from './candidate.ts';
import { shiftTo } from './shift-to.ts';

/**
 * Renews the slots batch by batch: out of the traffic, drained and stopped, started anew, probed, back in. A slot that
 * does not serve is only started and brought in. Each step has its undo, so that from anywhere the newest batch
 * is renewed back first.
 */
export function renewPool(situation: Situation, batches: Slot[][]): Draft[] {
  let serving = situation.live;
  const renewed: Slot[] = [];
  return batches.flatMap((batch, index) => {
    const leaving = batch.filter((slot) => serving.includes(slot));
    const others = serving.filter((slot) => !batch.includes(slot));
    const steps: Draft[] = [];
    if (leaving.length > 0) steps.push(takeOut(situation, index + 1, leaving, others, serving));
    steps.push(...leaving.map((slot) => stopStep(situation, slot)));
    steps.push(...batch.flatMap((slot) => startCandidate(situation, slot)));
    const after = inOrder(situation, [...others, ...batch]);
    steps.push(bringIn(situation, index + 1, batch, after, others));
    renewed.push(...batch);
    serving = after;
    const stable = serving.filter((slot) => !renewed.includes(slot));
    return [...steps, ...bake(situation, index + 1, [...renewed], stable)];
  });
}

function takeOut(situation: Situation, count: number, leaving: Slot[], others: Slot[], serving: Slot[]): Draft {
  const sentence = `Take ${leaving.join(', ')} out of the traffic`;
  return shiftTo(situation, `rollout.out-${count}`, sentence, serving, others);
}

function bringIn(situation: Situation, count: number, batch: Slot[], after: Slot[], others: Slot[]): Draft {
  const { runbook, release } = situation;
  const sentence = `Bring ${runbook.service} ${release.version} in ${batch.join(', ')} into the traffic`;
  return shiftTo(situation, `rollout.in-${count}`, sentence, others, after);
}

function stopStep(situation: Situation, slot: Slot): Draft {
  const { runbook, from } = situation;
  const old = `${runbook.service} ${from!.version}`;
  return {
    id: 'rollout.stop-old',
    phase: 'rollout',
    sentence: `Drain and stop ${old} in ${slot}`,
    action: stopAction(situation, slot, 'leave running'),
    undo: {
      sentence: `Start ${old} in ${slot} again and wait until it is up`,
      actions: [startAction(situation, from!, slot), probeAction(situation, slot)],
    },
    deadlineMs: stopDeadline(situation),
  };
}

/** Only where the runbook says what passes. */
function bake(situation: Situation, count: number, candidate: Slot[], stable: Slot[]): Draft[] {
  const { analysis: written, bake } = situation.runbook.rollout;
  if (!written) return [];
  const where = candidate.length === 1 ? ` in ${candidate[0]}` : ` in ${candidate.length} instances`;
  return [watchStep(situation, { id: `rollout.bake-${count}`, where, written, forMs: toMs(bake), candidate, stable })];
}

const inOrder = ({ target }: Situation, slots: Slot[]): Slot[] =>
  Object.keys(target.ports).filter((slot) => slots.includes(slot));

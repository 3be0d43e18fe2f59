import { toMs } from './duration.ts';
import { slotsOf } from './places.ts';
import { type Draft, quickMs, type Situation } from './planning.ts';

/** It ends by itself after this, whatever becomes of the deploy; a hold may take long. */
const longestProbeMs = 4 * 60 * 60_000;

/** Before the first thing that users may notice, so that its undo is the last: it counts the way back too. */
export function openReceipt(situation: Situation, phase: 'migrate' | 'rollout'): Draft[] {
  const { runbook, target } = situation;
  if (!target.traffic) return [];
  const { prober } = runbook.rollout;
  const close = closeReceipt(situation, phase)[0]!;
  return [
    {
      id: `${phase}.receipt`,
      phase,
      sentence: prober
        ? `Count requests from here on, and send one every ${prober.every}`
        : 'Count requests from here on',
      action: {
        kind: 'open-receipt',
        prober: prober
          ? { path: prober.path.replace(/^GET /, ''), everyMs: toMs(prober.every), forMs: longestProbeMs }
          : null,
      },
      undo: { sentence: close.sentence, actions: [close.action] },
      deadlineMs: quickMs,
    },
  ];
}

/** The last thing of all. */
export function closeReceipt({ target, observed }: Situation, phase: 'confirm' | 'migrate' | 'rollout'): Draft[] {
  if (!target.traffic) return [];
  const running = slotsOf(target).flatMap((slot) =>
    observed.slots[slot] ? [[slot, observed.slots[slot].release]] : [],
  );
  return [
    {
      id: `${phase}.receipt`,
      phase,
      sentence: 'Count what was served, by version',
      action: { kind: 'close-receipt', before: Object.fromEntries(running) },
      deadlineMs: quickMs,
    },
  ];
}

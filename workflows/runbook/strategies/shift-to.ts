import type { Slot } from '../plan.ts';
import { type Draft, names, type Situation, shared, shiftAction, shiftDeadline } from '../planning.ts';
import { nobodyBefore } from './candidate.ts';

/** Shares all traffic among `after` instead of `before`; taken back by the reverse. */
export function shiftTo(situation: Situation, id: string, sentence: string, before: Slot[], after: Slot[]): Draft {
  const change = (from: Slot[], to: Slot[]) => {
    const fresh = to.filter((slot) => !from.includes(slot));
    return shiftAction(situation, shared(situation.target, to), fresh);
  };
  const undo =
    before.length > 0
      ? { sentence: `Share the traffic among ${names(before)} again`, actions: [change(after, before)] }
      : nobodyBefore;
  return {
    id,
    phase: 'rollout',
    sentence,
    action: change(before, after),
    undo,
    deadlineMs: shiftDeadline(situation),
  };
}

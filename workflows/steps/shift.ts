import type { ActionOf } from '../runbook/actions.ts';
import { slots } from '../runbook/plan.ts';
import type { Perform } from './step-context.ts';

/** Probes every slot that is to get traffic right before it gets it: also on the way back. */
export const shift: Perform<ActionOf<'shift'>> = async ({ kind, weights, probe }, context) => {
  const { activities, target, writer } = context;
  for (const slot of slots.filter((candidate) => weights[candidate] > 0)) {
    await activities('long', `Ask ${slot} if it is well, right before it gets traffic`).probeInstance({
      kind: 'probe',
      slot,
      probe,
      target,
    });
  }
  return activities('quick').shiftTraffic({ kind, weights, probe, target, writer });
};

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

/** Probes every slot that comes into the traffic right before it does: also on the way back. */
export const shift: Perform<ActionOf<'shift'>> = async ({ kind, weights, fresh, probe }, context) => {
  const { activities, target, writer } = context;
  for (const slot of fresh) {
    await activities('long', `Ask ${slot} if it is well, right before it gets traffic`).probeInstance({
      kind: 'probe',
      slot,
      probe,
      target,
    });
  }
  return activities('quick').shiftTraffic({ kind, weights, fresh, probe, target, writer });
};

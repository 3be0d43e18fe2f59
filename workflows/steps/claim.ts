import type { ActionOf } from '../runbook/actions.ts';
import { onMachines } from './machines.ts';
import type { Perform } from './step-context.ts';

export const claim: Perform<ActionOf<'claim'>> = (_action, context) => {
  const { activities, writer } = context;
  return onMachines(context, (target) => activities('quick').claimTarget({ target, writer }));
};

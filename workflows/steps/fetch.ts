import type { ActionOf } from '../runbook/actions.ts';
import { onMachines } from './machines.ts';
import type { Perform } from './step-context.ts';

export const fetch: Perform<ActionOf<'fetch'>> = (action, context) => {
  const { activities, writer } = context;
  return onMachines(context, (target) => activities('long').fetchRelease({ ...action, target, writer }));
};

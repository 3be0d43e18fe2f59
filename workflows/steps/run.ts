import type { ActionOf } from '../runbook/actions.ts';
import type { Target } from '../runbook/plan.ts';
import { atHome, onMachines } from './machines.ts';
import type { Perform } from './step-context.ts';

export const run: Perform<ActionOf<'run'>> = (action, context) => {
  const { activities, writer } = context;
  const work = (target: Target) => activities('long').runCommand({ ...action, target, writer });
  return action.each ? onMachines(context, work) : atHome(context, work);
};

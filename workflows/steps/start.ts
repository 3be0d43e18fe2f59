import type { ActionOf } from '../runbook/actions.ts';
import { names } from '../runbook/planning.ts';
import { inSlots } from './machines.ts';
import type { Perform } from './step-context.ts';

/** On the way back it comes before the act that the undo's sentence is about. */
export const start: Perform<ActionOf<'start'>> = (action, context) => {
  const { activities, undoing, writer } = context;
  const { service, release } = action.instance;
  return inSlots(action.slots, context, (present) => {
    const words = undoing ? `Make sure that ${service} ${release.version} runs in ${names(present.slots)}` : undefined;
    return activities('long', words).startInstance({ ...action, ...present, writer });
  });
};

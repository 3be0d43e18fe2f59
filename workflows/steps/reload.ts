import type { ActionOf } from '../runbook/actions.ts';
import { inSlots } from './machines.ts';
import type { Perform } from './step-context.ts';

export const reload: Perform<ActionOf<'reload'>> = (action, context) => {
  const { activities, writer } = context;
  return inSlots(action.slots, context, (present) =>
    activities('long').reloadInstance({ ...action, ...present, writer }),
  );
};

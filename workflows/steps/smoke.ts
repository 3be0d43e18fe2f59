import type { ActionOf } from '../runbook/actions.ts';
import { inSlots } from './machines.ts';
import type { Perform } from './step-context.ts';

export const smoke: Perform<ActionOf<'smoke'>> = async (action, context) => {
  const { activities, target } = context;
  if (action.at === 'front') return (await activities('long').smokeTest({ ...action, target })).evidence;
  return inSlots(action.at, context, ({ slots, target }) =>
    activities('long').smokeTest({ ...action, at: slots, target }),
  );
};

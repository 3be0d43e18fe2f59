import type { ActionOf } from '../runbook/actions.ts';
import { inSlots } from './machines.ts';
import type { Perform } from './step-context.ts';

export const probe: Perform<ActionOf<'probe'>> = (action, context) =>
  inSlots(action.slots, context, (present) => context.activities('long').probeInstance({ ...action, ...present }));

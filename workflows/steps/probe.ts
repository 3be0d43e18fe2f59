import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const probe: Perform<ActionOf<'probe'>> = (action, { activities, target }) =>
  activities('long').probeInstance({ ...action, target });

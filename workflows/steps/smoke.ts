import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const smoke: Perform<ActionOf<'smoke'>> = (action, { activities, target }) =>
  activities('long').smokeTest({ ...action, target });

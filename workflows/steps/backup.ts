import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const backup: Perform<ActionOf<'backup'>> = (action, { activities, home, writer }) =>
  activities('long').backUp({ ...action, target: home, writer });

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const backup: Perform<ActionOf<'backup'>> = (action, { activities, target, writer }) =>
  activities('long').backUp({ ...action, target, writer });

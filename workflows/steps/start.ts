import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const start: Perform<ActionOf<'start'>> = (action, { activities, target, writer }) =>
  activities('quick').startInstance({ ...action, target, writer });

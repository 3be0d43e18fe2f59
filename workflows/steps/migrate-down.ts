import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const migrateDown: Perform<ActionOf<'migrate-down'>> = (action, { activities, target, writer }) =>
  activities('long').migrateDown({ ...action, target, writer });

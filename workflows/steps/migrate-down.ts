import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const migrateDown: Perform<ActionOf<'migrate-down'>> = (action, { activities, home, writer }) =>
  activities('long').migrateDown({ ...action, target: home, writer });

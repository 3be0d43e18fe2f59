import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const migrateUp: Perform<ActionOf<'migrate-up'>> = (action, { activities, home, writer }) =>
  activities('long').migrateUp({ ...action, target: home, writer });

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const run: Perform<ActionOf<'run'>> = (action, { activities, target, writer }) =>
  activities('long').runCommand({ ...action, target, writer });

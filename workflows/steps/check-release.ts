import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const checkRelease: Perform<ActionOf<'check-release'>> = (action, { activities, target }) =>
  activities('quick').checkRelease({ ...action, target });

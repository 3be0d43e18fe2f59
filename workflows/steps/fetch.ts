import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const fetch: Perform<ActionOf<'fetch'>> = (action, { activities, target, writer }) =>
  activities('long').fetchRelease({ ...action, target, writer });

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const build: Perform<ActionOf<'build'>> = (action, { activities, home, writer }) =>
  activities('long').buildRelease({ ...action, target: home, writer });

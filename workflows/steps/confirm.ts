import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const confirm: Perform<ActionOf<'confirm'>> = (action, { activities, target, writer }) =>
  activities('quick').recordRelease({ ...action, target, writer });

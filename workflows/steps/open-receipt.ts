import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const openReceipt: Perform<ActionOf<'open-receipt'>> = (action, { activities, target, writer }) =>
  activities('quick').openReceipt({ ...action, target, writer });

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const claim: Perform<ActionOf<'claim'>> = (_action, { activities, target, writer }) =>
  activities('quick').claimTarget({ target, writer });

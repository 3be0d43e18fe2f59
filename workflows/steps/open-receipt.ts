import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const openReceipt: Perform<ActionOf<'open-receipt'>> = async (action, { activities, run, target, writer }) => {
  // Without it what was served is not counted; that is no reason to turn back.
  if (target.home !== null && run.asideOf(target).has(target.home))
    return { notCounted: `${target.home} is set aside` };
  return activities('quick').openReceipt({ ...action, target, writer });
};

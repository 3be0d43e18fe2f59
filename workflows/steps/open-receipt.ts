import type { ActionOf } from '../runbook/actions.ts';
import { homeIsAside } from './machines.ts';
import type { Perform } from './step-context.ts';

export const openReceipt: Perform<ActionOf<'open-receipt'>> = async (action, context) => {
  const { activities, target, writer } = context;
  // Without it what was served is not counted; that is no reason to turn back.
  if (homeIsAside(context)) return { notCounted: `${target.home} is set aside` };
  return activities('quick').openReceipt({ ...action, target, writer });
};

import { isCancellation } from '@temporalio/workflow';
import { messageOf } from '../failure-message.ts';
import type { ActionOf } from '../runbook/actions.ts';
import { onMachines } from './machines.ts';
import type { Perform } from './step-context.ts';

/** The deploy is over: a release that could not be cleared away is said, and is nothing to fail for. */
export const prune: Perform<ActionOf<'prune'>> = async (action, context) => {
  const { activities, writer } = context;
  try {
    return await onMachines(context, (target) => activities('quick').pruneReleases({ ...action, target, writer }));
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { notRemoved: messageOf(error) };
  }
};

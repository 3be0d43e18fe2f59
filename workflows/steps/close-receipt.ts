import { isCancellation } from '@temporalio/workflow';
import { messageOf } from '../failure-message.ts';
import type { Evidence } from '../ports.ts';
import type { ActionOf } from '../runbook/actions.ts';
import type { Receipt } from '../runbook/checks.ts';
import { homeIsAside } from './machines.ts';
import type { Perform } from './step-context.ts';

/** Counting is no reason to fail a deploy, nor its way back: what could not be counted is said. */
export const closeReceipt: Perform<ActionOf<'close-receipt'>> = async (action, context) => {
  const { activities, run, target, writer } = context;
  // It is kept there; waiting for it would keep the way back waiting.
  if (homeIsAside(context)) return { notCounted: `${target.home} is set aside` };
  try {
    const receipt = await activities('quick').closeReceipt({ ...action, target, writer });
    run.status.receipt = receipt;
    return receipt ? summary(receipt) : {};
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { notCounted: messageOf(error) };
  }
};

function summary({ served, probed }: Receipt): Evidence {
  const versions = Object.entries(served).map(([version, { requests }]) => [`served by ${version}`, requests]);
  return { ...Object.fromEntries(versions), ...(probed && { probed: probed.sent, lost: probed.lost }) };
}

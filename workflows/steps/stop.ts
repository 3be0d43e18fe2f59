import { isCancellation } from '@temporalio/workflow';
import { messageOf } from '../failure-message.ts';
import type { Evidence } from '../ports.ts';
import type { ActionOf } from '../runbook/actions.ts';
import type { Perform, StepContext } from './step-context.ts';

/** Nothing is stopped before it is drained, and the drain is observed. */
export const stop: Perform<ActionOf<'stop'>> = async (action, context) => {
  const drained = action.drainMs > 0 ? await drain(action, context) : {};
  const { slot, graceMs } = action;
  const { activities, target, writer } = context;
  return { ...drained, ...(await activities('long').stopInstance({ slot, graceMs, target, writer })) };
};

/** Going back must not need the version that it leaves: what hangs there is cut off after the deadline, visibly. */
async function drain({ slot, drainMs, ifNotDrained }: ActionOf<'stop'>, context: StepContext): Promise<Evidence> {
  const { activities, target, writer } = context;
  try {
    return await activities('long', `Wait until no request is in flight to ${slot}`).drainInstance({
      slot,
      drainMs,
      target,
      writer,
    });
  } catch (error) {
    if (isCancellation(error) || ifNotDrained === 'leave running') throw error;
    return { notDrained: messageOf(error) };
  }
}

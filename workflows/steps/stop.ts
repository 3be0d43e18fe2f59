import { isCancellation } from '@temporalio/workflow';
import { messageOf } from '../failure-message.ts';
import type { Evidence } from '../ports.ts';
import type { ActionOf } from '../runbook/actions.ts';
import { names } from '../runbook/planning.ts';
import { inSlots, nobodyThere, presentSlots } from './machines.ts';
import type { Perform, StepContext } from './step-context.ts';

/** Nothing is stopped before it is drained, and the drain is observed. */
export const stop: Perform<ActionOf<'stop'>> = async (action, context) => {
  const drained = action.drainMs > 0 ? await drain(action, context) : {};
  const { slots, graceMs } = action;
  const { activities, writer } = context;
  const stopped = await inSlots(slots, context, (present) =>
    activities('long').stopInstance({ graceMs, ...present, writer }),
  );
  return { ...drained, ...stopped };
};

/** Going back must not need the version that it leaves: what hangs there is cut off after the deadline, visibly. */
async function drain({ slots: all, drainMs, ifNotDrained }: ActionOf<'stop'>, context: StepContext): Promise<Evidence> {
  const { activities, target, writer } = context;
  const { slots } = presentSlots(all, context);
  if (slots.length === 0) return nobodyThere;
  try {
    return await activities('long', `Wait until no request is in flight to ${names(slots)}`).drainInstance({
      slots,
      drainMs,
      target,
      writer,
    });
  } catch (error) {
    if (isCancellation(error) || ifNotDrained === 'leave running') throw error;
    return { notDrained: messageOf(error) };
  }
}

import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

/** Nothing is stopped before it is drained, and the drain is observed. */
export const stop: Perform<ActionOf<'stop'>> = async ({ slot, drainMs, graceMs }, { activities, target, writer }) => {
  const drained = await activities('long').drainInstance({ slot, drainMs, target, writer });
  const stopped = await activities('long').stopInstance({ slot, graceMs, target, writer });
  return { ...drained, ...stopped };
};

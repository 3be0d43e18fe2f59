import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

/** Nothing is stopped before it is drained, and the drain is observed. */
export const stop: Perform<ActionOf<'stop'>> = async ({ slot, drainMs, graceMs }, { activities, target, writer }) => {
  const drain = `Wait until ${slot} has no request in flight`;
  const drained = await activities('long', drain).drainInstance({ slot, drainMs, target, writer });
  const stopped = await activities('long').stopInstance({ slot, graceMs, target, writer });
  return { ...drained, ...stopped };
};

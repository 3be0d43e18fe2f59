import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

/** On the way back it comes before the act that the undo's sentence is about. */
export const start: Perform<ActionOf<'start'>> = (action, { activities, undoing, target, writer }) => {
  const { service, release } = action.instance;
  const words = undoing ? `Make sure that ${service} ${release.version} runs in ${action.slot}` : undefined;
  return activities('long', words).startInstance({ ...action, target, writer });
};

import type { Evidence } from '../ports.ts';
import type { ActionOf } from '../runbook/actions.ts';
import { onMachines, presentWeights } from './machines.ts';
import type { Perform, StepContext } from './step-context.ts';

/**
 * Written on every machine, so that any of them can say what is confirmed. One that is gone by now has no place in the
 * traffic, and none in what is confirmed.
 */
export const confirm: Perform<ActionOf<'confirm'>> = async (action, context) => {
  for (;;) {
    const aside = context.run.asideOf(context.target).size;
    const weights = await leaveBehind(action, context);
    const evidence = await record({ ...action, weights }, context);
    if (context.run.asideOf(context.target).size === aside) return evidence;
  }
};

function record(action: ActionOf<'confirm'>, context: StepContext): Promise<Evidence> {
  const { activities, writer } = context;
  return onMachines(context, (target) => activities('quick').recordRelease({ ...action, target, writer }));
}

async function leaveBehind({ weights }: ActionOf<'confirm'>, context: StepContext) {
  const { activities, target, writer } = context;
  const left = presentWeights(weights, context);
  if (left === weights || !target.traffic) return left;
  await activities('quick', 'Leave out of the traffic what was set aside').shiftTraffic({
    weights: left,
    target,
    writer,
  });
  return left;
}

import type { ActionOf } from '../runbook/actions.ts';
import { hostsOf, placesOf } from '../runbook/places.ts';
import { names } from '../runbook/planning.ts';
import { inSlots, presentWeights } from './machines.ts';
import type { Perform, StepContext } from './step-context.ts';

/** Probes every slot that comes into the traffic right before it does: also on the way back. */
export const shift: Perform<ActionOf<'shift'>> = async (action, context) => {
  const { activities, target, writer } = context;
  await probeFresh(action, context);
  const weights = presentWeights(action.weights, context);
  return activities('quick').shiftTraffic({ weights, target, writer });
};

/** Going back, a machine that was set aside serves again if it is well, and only then. */
async function probeFresh({ weights, fresh, probe }: ActionOf<'shift'>, context: StepContext): Promise<void> {
  const { run, target, undoing, activities } = context;
  const aside = run.asideOf(target);
  const doubtful = placesOf(target).filter(({ slot, host }) => host !== null && aside.has(host) && weights[slot]);
  const asked = [...new Set([...fresh, ...(undoing ? doubtful.map(({ slot }) => slot) : [])])];
  if (asked.length === 0) return;
  await inSlots(asked, context, async ({ slots, target }) => {
    const words = `Ask ${names(slots)} if ${slots.length > 1 ? 'they are' : 'it is'} well, right before traffic`;
    const across = await activities('long', words).probeInstance({ kind: 'probe', probe, slots, target });
    const well = hostsOf(target, slots).filter((host) => !(host in across.failed));
    if (undoing) for (const host of well) run.takeBack(target, host);
    return across;
  });
}

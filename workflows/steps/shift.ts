import type { ActionOf } from '../runbook/actions.ts';
import { hostsOf, placesOf } from '../runbook/places.ts';
import { names } from '../runbook/planning.ts';
import { inSlots, type Present, presentSlots, presentWeights } from './machines.ts';
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
  const { run, target, undoing } = context;
  const ask = async ({ slots, target }: Present) => {
    const words = `Ask ${names(slots)} if ${slots.length > 1 ? 'they are' : 'it is'} well, right before traffic`;
    const across = await context.activities('long', words).probeInstance({ kind: 'probe', probe, slots, target });
    const well = hostsOf(target, slots).filter((host) => !(host in across.failed));
    if (undoing) for (const host of well) run.takeBack(target, host);
    return across;
  };
  if (fresh.length > 0) await inSlots(fresh, context, ask);
  if (!undoing) return;
  const aside = run.asideOf(target);
  const doubtful = placesOf(target).filter(({ slot, host }) => host !== null && aside.has(host) && weights[slot]);
  const others = doubtful.map(({ slot }) => slot).filter((slot) => !fresh.includes(slot));
  const present = presentSlots(others, context);
  // Who is not well there is left aside: an undo before this one may bring it back elsewhere.
  if (present.slots.length > 0) await ask(present);
}

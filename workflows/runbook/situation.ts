import type { Release } from './plan.ts';
import { type PlanInput, type Situation, serving, slotsOf } from './planning.ts';

/** Which slots serve, and what there is to go back to. */
export function assess(input: PlanInput, version: string): Situation {
  const { record, slots, weights, release: found } = input.observed;
  const release = found ?? input.releaseOf(version);
  if (record) return { ...input, release, live: serving(record.confirmed.weights), from: record.confirmed.release };
  // Never confirmed: what runs where the traffic goes is what users have, so it is kept alive.
  const served = weights ? serving(weights) : slotsOf(input.target);
  const live = served.filter((slot) => slots[slot]?.running);
  const [first] = live;
  if (first === undefined) return { ...input, release, live: [], from: null };
  const running = slots[first]!;
  const from: Release = input.releaseOf(running.release, running.image);
  // Without a proxy only one can have been what users had.
  return { ...input, release, live: weights ? live : [first], from };
}

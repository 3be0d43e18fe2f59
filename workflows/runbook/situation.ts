import { isFleet, slotsOf } from './places.ts';
import type { Release, Slot } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { buildOf, type PlanInput, type Situation, serving } from './planning.ts';

/** One that is built anew must not be the one that the tag names today. */
function releaseFor({ runbook, observed, releaseOf }: PlanInput, version: string): Release {
  return buildOf(runbook.prepare.artifact) ? releaseOf(version) : (observed.release ?? releaseOf(version));
}

/** Which slots serve, and what there is to go back to. */
export function assess(input: PlanInput, version: string): Situation {
  const { record, slots, weights } = input.observed;
  const release = releaseFor(input, version);
  if (record) return { ...input, release, live: serving(record.confirmed.weights), from: record.confirmed.release };
  // Never confirmed: what runs where the traffic goes is what users have, so it is kept alive.
  const served = weights ? serving(weights) : slotsOf(input.target);
  const live = served.filter((slot) => slots[slot]?.running && wasServed(input, slot));
  const [first] = live;
  if (first === undefined) return { ...input, release, live: [], from: null };
  const running = slots[first]!;
  const another = live.find((slot) => slots[slot]!.release !== running.release);
  if (another && (weights || isFleet(input.target))) {
    throw new PlanRefused(
      'VersionsMixed',
      `${first} runs ${running.release} and ${another} runs ${slots[another]!.release}${weights ? ', both with traffic' : ''}, and none was ever ` +
        'confirmed. Stop the one that is not to be gone back to.',
    );
  }
  const from: Release = input.releaseOf(running.release, running.image);
  // Without a proxy only one on a machine can have been what users had.
  return { ...input, release, live: weights || isFleet(input.target) ? live : [first], from };
}

/**
 * Behind a proxy that was never set nobody was served by what a deploy has started: it was ended before its first shift.
 * What runs there without Holdpoint is served some other way.
 */
function wasServed({ observed, target }: PlanInput, slot: Slot): boolean {
  return !target.traffic || observed.weights !== null || !observed.claimed || observed.slots[slot]?.foreign === true;
}

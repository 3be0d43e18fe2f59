import type { Slot, Weights } from './plan.ts';

/** A proxy puts every user into one of so many buckets, by a hash; a share is a number of buckets. */
export const bucketCount = 100;

/**
 * The slot of each bucket, 0 to 99. Pure, so that the same shares always move the same users.
 *
 * Two slots: the first has the lower buckets, so a share that grows moves users in one direction only, and one that
 * shrinks moves exactly those back. More slots share equally, or not at all: each bucket has a home, and moves only
 * while its home has no traffic, spread over the others. `slots` in the target's order. Throws RangeError for
 * shares that are no whole percents, do not sum to 1, or differ among more than two slots.
 */
export function bucketsOf(weights: Weights, slots: Slot[]): Slot[] {
  const shares = slots.map((slot) => Math.round((weights[slot] ?? 0) * bucketCount));
  const exact = slots.every((slot, i) => Math.abs((weights[slot] ?? 0) * bucketCount - shares[i]!) < 1e-6);
  const sum = shares.reduce((total, share) => total + share, 0);
  const active = slots.filter((slot) => (weights[slot] ?? 0) > 0);
  const buckets = Array.from({ length: bucketCount }, (_, bucket) => bucket);
  if (slots.length > 2 && active.every((slot) => Math.abs(weights[slot]! - 1 / active.length) < 0.01)) {
    return buckets.map((bucket) => {
      const home = slots[bucket % slots.length]!;
      return active.includes(home) ? home : active[Math.floor(bucket / slots.length) % active.length]!;
    });
  }
  if (slots.length > 2 || !exact || sum !== bucketCount) {
    throw new RangeError(`cannot share traffic as ${slots.map((slot) => `${slot} ${weights[slot] ?? 0}`).join(', ')}`);
  }
  return buckets.map((bucket) => (bucket < shares[0]! ? slots[0]! : slots[1]!));
}

/** The shares that such buckets make; null where one belongs to no slot. */
export function sharesOf(buckets: (Slot | null | undefined)[], slots: Slot[]): Weights | null {
  if (buckets.length !== bucketCount || buckets.some((slot) => !slot || !slots.includes(slot))) return null;
  return Object.fromEntries(slots.map((slot) => [slot, buckets.filter((at) => at === slot).length / bucketCount]));
}

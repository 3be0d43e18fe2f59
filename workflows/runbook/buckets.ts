import type { Place } from './places.ts';
import type { Slot, Weights } from './plan.ts';

/** A proxy puts every user into one of so many buckets, by a hash; a share is a number of buckets. */
export const bucketCount = 100;

/**
 * The slot of each bucket, 0 to 99. Pure, so that the same shares always move the same users.
 *
 * Sides (blue and green) have buckets in a row, the first side the lower ones, so a share that grows moves users in one
 * direction only, and one that shrinks moves exactly those back. Within a side each bucket has a machine as its home,
 * and is elsewhere only while its home has no traffic. The slots of a pool on one machine are homes alike. Throws
 * RangeError for shares of one machine that are no whole percents, for ones that do not sum to 1, and for ones that
 * differ within a side.
 */
export function bucketsOf(weights: Weights, places: Place[]): Slot[] {
  const share = ({ slot }: Place) => weights[slot] ?? 0;
  const isPool = places.length > 2 && places.every(({ host }) => host === null);
  const homeOf = (place: Place) => place.host ?? (isPool ? place.slot : '');
  const sideOf = (place: Place) => (isPool ? '' : place.side);
  const homes = [...new Set(places.map(homeOf))];
  const sides = [...new Set(places.map(sideOf))].map((side) => {
    const active = places.filter((place) => sideOf(place) === side && share(place) > 0);
    return { active, share: active.reduce((sum, place) => sum + share(place), 0) };
  });
  if (!canBeShared(sides, share, homes.length)) {
    throw new RangeError(
      `cannot share traffic as ${places.map((place) => `${place.slot} ${share(place)}`).join(', ')}`,
    );
  }
  const sumOf = (some: typeof sides) => some.reduce((sum, side) => sum + side.share, 0);
  // Of the whole sum: shares that were rounded to percents may leave one bucket to nobody.
  const ends = sides.map((_, index) => Math.round((sumOf(sides.slice(0, index + 1)) / sumOf(sides)) * bucketCount));
  // Spread over everybody who is left, however many have lost their home.
  const homeless = sides.map(() => 0);
  return Array.from({ length: bucketCount }, (_, bucket) => {
    const at = ends.findIndex((end) => bucket < end);
    const { active } = sides[at]!;
    const atHome = active.find((place) => homeOf(place) === homes[bucket % homes.length]);
    if (atHome) return atHome.slot;
    homeless[at]! += 1;
    return active[homeless[at]! % active.length]!.slot;
  });
}

function canBeShared(
  sides: { active: Place[]; share: number }[],
  share: (place: Place) => number,
  homes: number,
): boolean {
  const sum = sides.reduce((total, side) => total + side.share, 0);
  const even = sides.every(({ active }) => active.every((place) => Math.abs(share(place) - share(active[0]!)) < 0.011));
  const exact = sides.every((side) => Math.abs(side.share * bucketCount - Math.round(side.share * bucketCount)) < 1e-6);
  return Math.abs(sum - 1) < 0.011 && even && (homes > 1 || exact);
}

/** The shares that such buckets make; null where one belongs to no slot. */
export function sharesOf(buckets: (Slot | null | undefined)[], slots: Slot[]): Weights | null {
  if (buckets.length !== bucketCount || buckets.some((slot) => !slot || !slots.includes(slot))) return null;
  return Object.fromEntries(slots.map((slot) => [slot, buckets.filter((at) => at === slot).length / bucketCount]));
}

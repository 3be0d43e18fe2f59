import { bucketCount, bucketsOf } from '../../workflows/runbook/buckets.ts';
import type { Place } from '../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';

/** The slot of each bucket. Throws `UnsupportedShare` and `TooManySlots`. */
export function wantedBuckets(weights: Weights, places: Place[]): Slot[] {
  assertSharable(places);
  try {
    return bucketsOf(weights, places);
  } catch (error) {
    throw unsupported(error);
  }
}

/** Throws `TooManySlots`: some of them could never get a request. */
export function assertSharable(places: Place[]): void {
  const homes = new Set(places.map(({ host, slot }) => host ?? slot)).size;
  if (homes <= bucketCount) return;
  const what = places[0]?.host === null ? 'slots of a pool' : 'machines of a fleet';
  throw refuse(
    'TooManySlots',
    `A proxy shares its traffic in ${bucketCount} parts, so at most ${bucketCount} ${what} can be behind it, and these ` +
      `are ${homes}. Make targets of at most ${bucketCount} each, with a front door of their own.`,
  );
}

/** Of a RangeError that {@link bucketsOf} throws. */
export function unsupported(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return refuse('UnsupportedShare', `The proxy ${error.message}: say whole percents that sum to 100.`);
}

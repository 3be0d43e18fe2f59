import { bucketsOf } from '../../workflows/runbook/buckets.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';

/** The slot of each bucket. Throws `UnsupportedShare`. */
export function wantedBuckets(weights: Weights, slots: Slot[]): Slot[] {
  try {
    return bucketsOf(weights, slots);
  } catch (error) {
    throw refuse('UnsupportedShare', `The proxy ${(error as Error).message}: say whole percents that sum to 100.`);
  }
}

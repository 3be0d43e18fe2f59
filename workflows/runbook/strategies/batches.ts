import type { Slot } from '../plan.ts';
import { PlanRefused } from '../plan-refused.ts';
import type { Runbook } from '../schema.ts';

/**
 * The slots in batches of the written sizes, the last one repeated; a percentage is of the whole pool, rounded down but
 * at least one.
 */
export function batchesOf(written: Runbook['rollout']['batch'], slots: Slot[], poolSize: number): Slot[][] {
  const sizes = [written].flat().map((size) => (typeof size === 'number' ? size : ofPool(size, poolSize)));
  const batches: Slot[][] = [];
  for (let at = 0; at < slots.length; ) {
    const size = sizes[Math.min(batches.length, sizes.length - 1)]!;
    batches.push(slots.slice(at, at + size));
    at += size;
  }
  return batches;
}

/** `2 at a time`, `in batches of 1, 2, 2`. */
export function describeBatches(batches: Slot[][]): string {
  const sizes = batches.map(({ length }) => length);
  return sizes.every((size) => size === sizes[0]) ? `${sizes[0]} at a time` : `in batches of ${sizes.join(', ')}`;
}

/** Throws PlanRefused where a batch would leave nobody to serve. */
export function refuseAllAtOnce(batches: Slot[][], poolSize: number): void {
  const all = batches.find(({ length }) => length >= poolSize);
  if (!all) return;
  throw new PlanRefused(
    'BatchTooLarge',
    `a batch of ${all.length} takes all ${poolSize} out at once: make rollout.batch smaller, or use strategy: recreate.`,
  );
}

function ofPool(percent: string, poolSize: number): number {
  return Math.max(1, Math.floor((Number.parseFloat(percent) / 100) * poolSize));
}

/** Which slot has which bucket, as empty files in a folder for each slot that nginx looks for at each request. */
import { bucketCount } from '../../workflows/runbook/buckets.ts';
import { bucketName } from '../../workflows/runbook/nginx-conf.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';

/** Names of the files in each slot's folder. */
export type BucketFiles = Record<Slot, string[]>;

/** The slot that nginx sends each bucket to: the last that has its file; null where none has. */
export function servedBuckets(files: BucketFiles, slots: Slot[]): (Slot | null)[] {
  const found = slots.map((slot) => new Set(files[slot]));
  return Array.from({ length: bucketCount }, (_, bucket) => {
    const last = found.findLastIndex((names) => names.has(bucketName(bucket)));
    return slots[last] ?? null;
  });
}

/**
 * What leads from these files to those of the buckets wanted: first all that `add` names, then what `remove` names, in
 * its order. Each bucket then goes from its old slot to its new one in a single step, whatever the moment in which
 * one looks, or in which this ends half way: a file added to an earlier slot changes nothing, one added to a later slot
 * is the step, and among those removed the last one in force is removed last.
 */
export function fileMoves(files: BucketFiles, wanted: Slot[], slots: Slot[]): { add: string[]; remove: string[] } {
  const has = (slot: Slot, bucket: string) => files[slot]?.includes(bucket) ?? false;
  const add = wanted.map((slot, bucket) => ({ slot, bucket: bucketName(bucket) }));
  const stays = new Set(add.map(({ slot, bucket }) => `${slot}/${bucket}`));
  return {
    add: add.filter(({ slot, bucket }) => !has(slot, bucket)).map(({ slot, bucket }) => `${slot}/${bucket}`),
    remove: slots.flatMap((slot) =>
      (files[slot] ?? []).map((bucket) => `${slot}/${bucket}`).filter((file) => !stays.has(file)),
    ),
  };
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BucketFiles, fileMoves, servedBuckets } from '../../../activities/traffic/nginx-buckets.ts';
import { wantedBuckets } from '../../../activities/traffic/wanted-buckets.ts';
import { bucketCount } from '../../../workflows/runbook/buckets.ts';
import { placesOf } from '../../../workflows/runbook/places.ts';

const places = placesOf({ hosts: {}, ports: { 'web-1': 1, 'web-2': 2, 'web-3': 3, 'web-4': 4 } });
const pair = placesOf({ hosts: {}, ports: { blue: 1, green: 2 } });
const slots = places.map(({ slot }) => slot);
const names = Array.from({ length: bucketCount }, (_, bucket) => String(bucket).padStart(2, '0'));
const anyWanted = fc.array(fc.constantFrom(...slots), { minLength: bucketCount, maxLength: bucketCount });
/** Whatever attempts that died half way may have left. */
const anyFiles: fc.Arbitrary<BucketFiles> = fc
  .tuple(...slots.map(() => fc.subarray(names)))
  .map((each) => Object.fromEntries(slots.map((slot, index) => [slot, each[index]!])));

test('from any files to any buckets, each bucket moves in one step, at whatever file one looks', () => {
  const laws = fc.property(anyFiles, anyWanted, (files, wanted) => {
    const now = servedBuckets(files, slots);
    const { add, remove } = fileMoves(files, wanted, slots);
    const present = new Set(slots.flatMap((slot) => files[slot]!.map((name) => `${slot}/${name}`)));
    for (const change of [
      ...add.map((file) => ({ file, there: true })),
      ...remove.map((file) => ({ file, there: false })),
    ]) {
      if (change.there) present.add(change.file);
      else present.delete(change.file);
      const bucket = Number(change.file.split('/')[1]);
      const served = slots.findLast((slot) => present.has(`${slot}/${names[bucket]}`));
      expect([now[bucket], wanted[bucket]]).toContain(served);
      now[bucket] = served ?? null;
    }
    const after = Object.fromEntries(
      slots.map((slot) => [slot, names.filter((name) => present.has(`${slot}/${name}`))]),
    );
    expect(servedBuckets(after, slots)).toEqual(wanted);
    expect(present.size).toBe(bucketCount);
  });
  fc.assert(laws, { numRuns: 50 });
});

test('what is as wanted is left alone', () => {
  const wanted = wantedBuckets({ 'web-1': 0.25, 'web-2': 0.25, 'web-3': 0.25, 'web-4': 0.25 }, places);
  const files = Object.fromEntries(slots.map((slot) => [slot, names.filter((_, bucket) => wanted[bucket] === slot)]));
  expect(fileMoves(files, wanted, slots)).toEqual({ add: [], remove: [] });
});

test('shares that are no whole percents, or not of one whole, are refused', () => {
  for (const weights of [{ blue: 0.995, green: 0.005 }, { blue: 0.5 }, {}]) {
    expect(() => wantedBuckets(weights as Record<string, number>, pair)).toThrow(/cannot share traffic/);
  }
});

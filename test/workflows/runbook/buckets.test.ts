import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketCount, bucketsOf, sharesOf } from '../../../workflows/runbook/buckets.ts';
import { placesOf, weightsWithout } from '../../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../../workflows/runbook/plan.ts';
import { FakeWorld } from '../../support/fake-world.ts';

const pair = placesOf({ hosts: {}, ports: { blue: 1, green: 2 } });
const pool = placesOf({ hosts: {}, ports: { 'web-1': 1, 'web-2': 2, 'web-3': 3 } });
const fleetOf = (count: number) => placesOf(FakeWorld.fleet(count).target());
const sideOf = (slot: Slot) => slot.split('-')[1]!;
const hostOf = (slot: Slot) => slot.split('-')[0]!;

/** So much of the traffic to green, the rest to blue, alike on every machine. */
function growing(count: number, share: number): Weights {
  const entries = fleetOf(count).map(({ slot, side }) => [slot, (side === 'green' ? share : 1 - share) / count]);
  return Object.fromEntries(entries);
}

const anyCount = fc.integer({ min: 1, max: 12 });
const anyShare = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);

describe('a growing share', () => {
  test('is as large as it says, and moves users to the new version only, and back only', () => {
    fc.assert(
      fc.property(anyCount, anyShare, anyShare, (count, one, other) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)];
        const before = bucketsOf(growing(count, small), fleetOf(count));
        const after = bucketsOf(growing(count, large), fleetOf(count));
        expect(before.filter((slot) => sideOf(slot) === 'green').length).toBe(Math.round(small * bucketCount));
        for (const [bucket, slot] of before.entries()) {
          if (sideOf(slot) === 'green') expect(after[bucket]).toBe(slot);
        }
      }),
    );
  });

  test('leaves every user on their machine', () => {
    fc.assert(
      fc.property(anyCount, anyShare, (count, share) => {
        const before = bucketsOf(growing(count, 0), fleetOf(count));
        const after = bucketsOf(growing(count, share), fleetOf(count));
        // Who is alone on a side has users of all the others as well.
        for (const [bucket, slot] of after.entries()) expect(hostOf(slot)).toBe(hostOf(before[bucket]!));
      }),
    );
  });
});

test('renewed machine by machine, users only ever move from the old version to the new one', () => {
  fc.assert(
    fc.property(anyCount, (count) => {
      const places = fleetOf(count);
      const hosts = [...new Set(places.map(({ host }) => host))];
      const after = (renewed: number) => {
        const serving = hosts.map((host, index) => `${host}-${index < renewed ? 'green' : 'blue'}`);
        return bucketsOf(Object.fromEntries(serving.map((slot) => [slot, 1 / count])), places);
      };
      for (let renewed = 0; renewed < count; renewed += 1) {
        const now = after(renewed);
        const next = after(renewed + 1);
        for (const [bucket, slot] of now.entries())
          if (sideOf(slot) === 'green') expect(sideOf(next[bucket]!), `bucket ${bucket}`).toBe('green');
      }
    }),
  );
});

test('a machine that is left out moves its own users and nobody else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), anyShare, fc.nat(), (count, share, pick) => {
      const places = fleetOf(count);
      const gone = `web${(pick % count) + 1}`;
      const weights = growing(count, share);
      const left = weightsWithout(weights, new Set(Object.keys(weights).filter((slot) => hostOf(slot) === gone)))!;
      const before = bucketsOf(weights, places);
      const after = bucketsOf(left, places);
      for (const [bucket, slot] of before.entries()) {
        expect(hostOf(after[bucket]!)).not.toBe(gone);
        if (hostOf(slot) !== gone) expect(after[bucket]).toBe(slot);
        expect(sideOf(after[bucket]!)).toBe(sideOf(slot));
      }
    }),
  );
});

test('equal shares are read back as what was confirmed, also without some of the machines', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (count, pick) => {
      const places = fleetOf(count);
      const weights = growing(count, 0);
      const gone = new Set(pick % 2 === 0 || count === 1 ? [] : [`web${(pick % count) + 1}-blue`]);
      const wanted = weightsWithout(weights, gone)!;
      const slots = places.map(({ slot }) => slot);
      const read = sharesOf(bucketsOf(wanted, places), slots)!;
      for (const slot of slots) expect(Math.abs(read[slot]! - (wanted[slot] ?? 0))).toBeLessThan(0.02);
    }),
  );
});

describe('one machine', () => {
  test('gives its lower buckets to the first of a pair', () => {
    const buckets = bucketsOf({ blue: 0.9, green: 0.1 }, pair);
    expect(buckets.indexOf('green')).toBe(90);
    expect(buckets.lastIndexOf('blue')).toBe(89);
  });

  test('shares in whole percents only', () => {
    expect(() => bucketsOf({ blue: 0.995, green: 0.005 }, pair)).toThrow(RangeError);
    expect(() => bucketsOf({ blue: 0.5, green: 0.4 }, pair)).toThrow('cannot share traffic as blue 0.5, green 0.4');
  });

  test('with a pool leaves the users of an instance alone while another one is out', () => {
    const all = bucketsOf({ 'web-1': 1 / 3, 'web-2': 1 / 3, 'web-3': 1 / 3 }, pool);
    const without = bucketsOf({ 'web-1': 0.5, 'web-2': 0, 'web-3': 0.5 }, pool);
    for (const [bucket, slot] of all.entries()) if (slot !== 'web-2') expect(without[bucket]).toBe(slot);
    // Rounded to percents, three thirds leave one bucket to nobody.
    expect(bucketsOf({ 'web-1': 0.33, 'web-2': 0.33, 'web-3': 0.33 }, pool)).toEqual(all);
  });
});

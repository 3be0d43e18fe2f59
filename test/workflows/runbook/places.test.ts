import { expect, test } from 'vitest';
import {
  hostsOf,
  mostSide,
  onlyHosts,
  placeOf,
  placesOf,
  slotsOf,
  weightsWithout,
} from '../../../workflows/runbook/places.ts';
import { FakeWorld } from '../../support/fake-world.ts';

const fleet = FakeWorld.fleet(2).target();
const onePort = FakeWorld.fleet(2, { ports: { web: 4001 } }).target();
const alone = new FakeWorld().target();

test('on one machine a slot is a name of its ports, wherever the proxy reaches it', () => {
  expect(placesOf(alone)).toEqual([
    { slot: 'blue', host: null, side: 'blue', port: 4001, address: null },
    { slot: 'green', host: null, side: 'green', port: 4002, address: null },
  ]);
});

test('a machine of a fleet has one slot for each port, and is called by its own name where there is one', () => {
  expect(slotsOf(fleet)).toEqual(['web1-blue', 'web1-green', 'web2-blue', 'web2-green']);
  expect(slotsOf(onePort)).toEqual(['web1', 'web2']);
  expect(placeOf(fleet, 'web2-green')).toEqual({
    slot: 'web2-green',
    host: 'web2',
    side: 'green',
    port: 4002,
    address: '10.0.0.12',
  });
  expect(() => placeOf(fleet, 'web3-green')).toThrow('web has no slot web3-green');
});

test('the machines of some slots come once each, in the order of the fleet', () => {
  expect(hostsOf(fleet, ['web2-blue', 'web1-green', 'web2-green'])).toEqual(['web1', 'web2']);
  expect(hostsOf(alone, ['blue'])).toEqual([]);
});

test('what goes to an activity has only the machines that it concerns', () => {
  expect(Object.keys(onlyHosts(fleet, ['web2']).hosts)).toEqual(['web2']);
  expect(onlyHosts(alone, ['web2'])).toBe(alone);
});

test('the side of most slots is the first of those that have as many', () => {
  expect(mostSide(fleet, ['web1-green', 'web2-green', 'web2-blue'])).toBe('green');
  expect(mostSide(fleet, ['web1-green', 'web2-blue'])).toBe('green');
  expect(mostSide(fleet, [])).toBeUndefined();
});

test('what a slot leaves is shared among the others as they share already', () => {
  const weights = { a: 0.45, b: 0.45, c: 0.05, d: 0.05 };
  expect(weightsWithout(weights, new Set(['b', 'd']))).toEqual({ a: 0.9, c: 0.1 });
  expect(weightsWithout({ a: 1, b: 0 }, new Set(['b']))).toEqual({ a: 1 });
});

test('where nobody is left nobody has a share', () => {
  expect(weightsWithout({ a: 0.5, b: 0.5, c: 0 }, new Set(['a', 'b']))).toBeNull();
});

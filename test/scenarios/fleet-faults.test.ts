/** Five machines with systemd behind HAProxy, renewed in place one after the other, and what goes wrong with one of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everyMachine, expectOneOutcome, faults, fiveMachines } from '../support/fleet-faults.ts';
import { Load } from '../support/load.ts';
import { firstBoot } from '../support/vm.ts';
import type { VmFleet } from '../support/vm-fleet.ts';

let fleet: VmFleet;
const all = (version: string) => everyMachine.map(() => version);
beforeAll(async () => {
  fleet = await fiveMachines();
}, firstBoot);
afterAll(() => fleet?.close());

test('a release goes over all machines, and back, without a lost request', async () => {
  const load = new Load(fleet.url);
  expect(await fleet.deploy('2')).toMatchObject({ outcome: 'succeeded', aside: [] });
  expect(await fleet.serving()).toEqual(all('2'));
  expect(await fleet.deploy(null, { intent: 'rollback' })).toMatchObject({ outcome: 'rolled back' });
  await load.stop();
  expect(await fleet.serving()).toEqual(all('1'));
  expect(load.lost).toEqual([]);
}, 240_000);

// Every fault at another position; all of them at every position are the campaign's.
test.each(faults.map((fault, index) => ({ fault, at: [2, 1, 4, 3][index]! })))(
  '$fault on machine $at: all run the release of before, and every one of them serves',
  ({ fault, at }) => expectOneOutcome(fleet, fault, at),
  240_000,
);

/** Every fault at every machine of five; the suite has one of each. */
import { afterAll, beforeAll, test } from 'vitest';
import { everyMachine, expectOneOutcome, faults, fiveMachines } from '../support/fleet-faults.ts';
import { firstBoot } from '../support/vm.ts';
import type { VmFleet } from '../support/vm-fleet.ts';

let fleet: VmFleet;
beforeAll(async () => {
  fleet = await fiveMachines();
}, firstBoot);
afterAll(() => fleet?.close());

test.each(faults.flatMap((fault) => everyMachine.map((_, index) => ({ fault, at: index + 1 }))))(
  '$fault on machine $at: all run the release of before, and every one of them serves',
  ({ fault, at }) => expectOneOutcome(fleet, fault, at),
  400_000,
);

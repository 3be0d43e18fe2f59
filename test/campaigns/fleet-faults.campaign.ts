/** Every fault at every machine of five; the suite has one of each. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack, faults, inject } from '../support/fleet-faults.ts';
import { firstBoot } from '../support/vm.ts';
import { VmFleet } from '../support/vm-fleet.ts';

let fleet: VmFleet;
const everyMachine = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'];

beforeAll(async () => {
  const rollout = { strategy: 'rolling', deadline: '10s', after: [{ run: ['sh', 'check.sh'], each: 'machine' }] };
  fleet = await VmFleet.open({ machines: 5, ports: { web: 4001 }, rollout });
  fleet.work();
  expect(await fleet.deploy('1')).toMatchObject({ outcome: 'succeeded' });
}, firstBoot);
afterAll(() => fleet?.close());

const matrix = faults.flatMap((fault) => everyMachine.map((_, index) => ({ fault, at: index + 1 })));

test.each(matrix)(
  '$fault on machine $at: all run the release of before, and every one of them serves',
  async ({ fault, at }) => {
    const status = await inject(fleet, fault, at);
    expect(status.outcome, status.sentence).toBe('rolled back');
    expect(status.sentence).toContain(`web-${at}`);
    await bringBack(fleet, fault, at);
    expect(await fleet.serving()).toEqual(everyMachine.map(() => '1'));
    expect(await fleet.members()).toEqual(everyMachine);
  },
  400_000,
);

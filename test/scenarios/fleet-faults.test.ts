/** Five machines with systemd behind HAProxy, renewed in place one after the other, and what goes wrong with one of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack, faults, inject } from '../support/fleet-faults.ts';
import { Load } from '../support/load.ts';
import { firstBoot } from '../support/vm.ts';
import { VmFleet } from '../support/vm-fleet.ts';

let fleet: VmFleet;
const everyMachine = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'];
const all = (version: string) => everyMachine.map(() => version);

beforeAll(async () => {
  const rollout = { strategy: 'rolling', deadline: '10s', after: [{ run: ['sh', 'check.sh'], each: 'machine' }] };
  fleet = await VmFleet.open({ machines: 5, ports: { web: 4001 }, rollout });
  fleet.work();
  expect(await fleet.deploy('1')).toMatchObject({ outcome: 'succeeded' });
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
  async ({ fault, at }) => {
    const status = await inject(fleet, fault, at);
    expect(status.outcome, status.sentence).toBe('rolled back');
    expect(status.sentence).toContain(`web-${at}`);
    await bringBack(fleet, fault, at);
    expect(await fleet.serving()).toEqual(all('1'));
    expect(await fleet.members()).toEqual(everyMachine);
  },
  240_000,
);

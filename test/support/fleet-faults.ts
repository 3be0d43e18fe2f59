import { expect } from 'vitest';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { VmFleet } from './vm-fleet.ts';

export const faults = ['a command fails', 'the machine dies', 'the machine is cut off', 'the probe fails'] as const;
type Fault = (typeof faults)[number];

export const everyMachine = ['web-1', 'web-2', 'web-3', 'web-4', 'web-5'];

/** Five machines on which release 1 serves; a release that is rolled out runs a line of its own on each in the end. */
export async function fiveMachines(): Promise<VmFleet> {
  const rollout = { strategy: 'rolling', deadline: '10s', after: [{ run: ['sh', 'check.sh'], each: 'machine' }] };
  const fleet = await VmFleet.open({ machines: everyMachine.length, ports: { web: 4001 }, rollout });
  fleet.work();
  expect(await fleet.deploy('1')).toMatchObject({ outcome: 'succeeded' });
  return fleet;
}

/** This happens to the machine, 1 to 5, in a deploy of release 2. Throws unless all of them have release 1 afterwards. */
export async function expectOneOutcome(fleet: VmFleet, fault: Fault, at: number): Promise<void> {
  const status = await inject(fleet, fault, at);
  expect(status.outcome, status.sentence).toBe('rolled back');
  expect(status.sentence).toContain(`web-${at}`);
  await bringBack(fleet, fault, at);
  expect(await fleet.serving()).toEqual(everyMachine.map(() => '1'));
  expect(await fleet.members()).toEqual(everyMachine);
}

/** Deploys release 2 and lets this happen to the machine when its turn has come. Returns how the run ended. */
async function inject(fleet: VmFleet, fault: Fault, at: number): Promise<RunStatus> {
  const machine = fleet.machines[at - 1]!;
  if (fault === 'a command fails') await machine.exec(['touch', '/srv/fails']);
  if (fault === 'the probe fails') await machine.exec(['touch', '/srv/ill']);
  const run = await fleet.start('2');
  if (fault === 'the machine dies' || fault === 'the machine is cut off') {
    const turn = at === 1 ? 'rollout.start' : `rollout.start-${at}`;
    await run.until(
      ({ state, steps }) => state === 'ended' || steps.some(({ id, startedAt }) => id === turn && startedAt),
    );
    await (fault === 'the machine dies' ? machine.kill() : machine.disconnect());
  }
  return run.end();
}

/** What was broken is whole again; a machine that was left behind is brought in line. */
async function bringBack(fleet: VmFleet, fault: Fault, at: number): Promise<void> {
  const machine = fleet.machines[at - 1]!;
  await machine.exec(['rm', '-f', '/srv/fails', '/srv/ill']).catch(() => {});
  if (fault === 'the machine dies') await machine.start();
  if (fault === 'the machine is cut off') await machine.connect();
  await fleet.deploy(null, { intent: 'reconcile' });
}

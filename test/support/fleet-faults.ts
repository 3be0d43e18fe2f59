import type { RunStatus } from '../../workflows/runbook/status.ts';
import type { VmFleet } from './vm-fleet.ts';

export const faults = ['a command fails', 'the machine dies', 'the machine is cut off', 'the probe fails'] as const;
export type Fault = (typeof faults)[number];

/** Deploys release 2 and lets this happen to the machine, 1 to 5, when its turn has come. Returns how the run ended. */
export async function inject(fleet: VmFleet, fault: Fault, at: number): Promise<RunStatus> {
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
export async function bringBack(fleet: VmFleet, fault: Fault, at: number): Promise<void> {
  const machine = fleet.machines[at - 1]!;
  await machine.exec(['rm', '-f', '/srv/fails', '/srv/ill']).catch(() => {});
  if (fault === 'the machine dies') await machine.start();
  if (fault === 'the machine is cut off') await machine.connect();
  await fleet.deploy(null, { intent: 'reconcile' });
}

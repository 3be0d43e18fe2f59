import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { within } from '../support/bounded.ts';
import type { Lab, Server } from '../support/lab.ts';
import type { Row } from '../support/result.ts';
import { percentile, rounded } from '../support/samples.ts';
import { ansiblePlay, ansibleVersion, findAnsible } from './ansible-peer.ts';
import { commandsOf, demandDone } from './commands.ts';
import { activitiesMs, deployed, linkRequest } from './deploys.ts';
import { type Machines, startMachines, writeEnvironments } from './machines.ts';
import { opensshLoop } from './openssh-peer.ts';
import { ssh2Loop } from './ssh2-peer.ts';

const rounds = 3;

export const steps = 'Holdpoint, the five steps';
export const whole = 'Holdpoint, the whole deploy around them';
export const ssh2Connecting = 'a loop over ssh2 with noDelay, connecting included';
export const ssh2Open = 'the same loop, once it is connected';
export const openssh = 'a loop over `ssh` with ControlMaster';
export const ansible = `Ansible ${ansibleVersion}, pipelining, 50 forks, no facts`;

/** Something that runs the commands on every machine; gives ms by the name of what was timed. */
type Contestant = (round: string) => Promise<Record<string, number>>;

/** Five commands on each of so many machines by every tool, in turn, so that whatever else the machine does meets all. */
export async function fiveCommands(lab: Lab, server: Server, count: number): Promise<Row[]> {
  const python = await findAnsible();
  const machines = await startMachines(lab, count);
  try {
    const contestants: Record<string, Contestant> = {
      holdpoint: holdpoint(lab, server, machines),
      async ssh2(round) {
        const { connectedMs, commandsMs } = await ssh2Loop(machines, round);
        return { [ssh2Connecting]: connectedMs, [ssh2Open]: commandsMs };
      },
      openssh: (round) => timed(openssh, () => opensshLoop(lab, machines, round)),
      ansible: (round) => timed(ansible, () => ansiblePlay(python, lab, machines, round)),
    };
    const samples: Record<string, number[]> = {};
    for (let n = 0; n <= rounds; n += 1) {
      for (const [tool, run] of Object.entries(contestants)) {
        machines.cutAll();
        const round = `${tool}-${n}`;
        const found = await within(300_000, `${round} on ${count} machines`, run(round));
        demandDone(machines, round);
        // The first round warms up.
        if (n > 0) for (const [name, ms] of Object.entries(found)) samples[name] = [...(samples[name] ?? []), ms];
      }
    }
    return Object.entries(samples).map(([name, all]) => rowOf(name, count, all));
  } finally {
    await machines.stop();
  }
}

function holdpoint(lab: Lab, server: Server, machines: Machines): Contestant {
  const { taskQueue } = lab.worker(server, {
    kind: 'product',
    environments: writeEnvironments(lab, machines),
  });
  for (const { root } of machines.hosts) writeRelease(join(root, 'releases', '1'));
  return async (round) => {
    const after = commandsOf(machines, round).map((command) => ({ run: command, each: 'machine' }));
    const artifact = { folder: join(machines.own, 'releases', '{version}') };
    const { deploy, ms } = await deployed(server.client, taskQueue, linkRequest(lab, '1', { artifact, after }));
    return { [steps]: await activitiesMs(deploy, 'runCommand'), [whole]: ms };
  };
}

function writeRelease(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '');
}

async function timed(name: string, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const began = performance.now();
  await work();
  return { [name]: performance.now() - began };
}

function rowOf(tool: string, hosts: number, samples: number[]): Row {
  const seconds = (ms: number) => rounded(ms / 1_000);
  return {
    name: nameAt(tool, hosts),
    tool,
    hosts,
    seconds: seconds(percentile(samples, 0.5)),
    slowestS: seconds(Math.max(...samples)),
    samples: samples.length,
  };
}

export const nameAt = (tool: string, hosts: number): string => `${tool}: ${hosts} machines`;

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Lab, Server } from '../support/lab.ts';
import type { Row } from '../support/result.ts';
import { rounded } from '../support/samples.ts';
import { deployed, linkRequest, service } from './deploys.ts';
import { type Machines, startMachines, writeEnvironments } from './machines.ts';

export const hosts = 1_000;
export const aDeploy = `a deploy to ${hosts.toLocaleString('en')} machines, in batches of 1, 10% and 50%`;

/** One deploy to a thousand machines over a release that somebody else has put there, and what it leaves behind. */
export async function aThousand(lab: Lab, server: Server): Promise<Row[]> {
  const machines = await startMachines(lab, hosts);
  try {
    const { worker, taskQueue } = lab.worker(server, {
      kind: 'product',
      environments: writeEnvironments(lab, machines),
    });
    putThere(machines, '1');
    writeArchive(lab, '2');
    const artifact = { archive: join(lab.folder, 'archives', 'fleet-{version}.tar.gz') };
    const request = linkRequest(lab, '2', { artifact }, { batch: [1, '10%', '50%'] });
    const { deploy, ms } = await deployed(server.client, taskQueue, request);
    demandVersion(machines, '2');
    const { historyLength, historySize } = await deploy.describe();
    return [
      {
        name: aDeploy,
        hosts,
        seconds: rounded(ms / 1_000),
        perHostMs: rounded(ms / hosts),
        events: historyLength,
        bytes: Number(historySize),
        workerRssMb: peakMb(worker.pid),
      },
    ];
  } finally {
    await machines.stop();
  }
}

/** A release with a link to it, as people make them by hand. */
function putThere({ hosts, own }: Machines, version: string): void {
  const folder = join('target', service, 'releases', version);
  for (const { root } of hosts) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'index.html'), `version ${version}\n`);
    symlinkSync(join(own, folder), join(root, 'target', service, 'web'));
  }
}

function writeArchive(lab: Lab, version: string): void {
  const folder = join(lab.folder, 'archives', version);
  mkdirSync(folder, { recursive: true });
  lab.write(join('archives', version, 'index.html'), `version ${version}\n`);
  execFileSync('tar', ['-czf', join(lab.folder, 'archives', `fleet-${version}.tar.gz`), '-C', folder, '.']);
}

/** Throws unless the link of every machine points at it. */
function demandVersion({ hosts, own }: Machines, version: string): void {
  const linkOn = (root: string) => basename(readlinkSync(join(root, 'target', service, 'web')));
  const others = hosts.filter(({ root }) => linkOn(root) !== version);
  if (others.length > 0) throw new Error(`${others.length} machines have no link below ${own} to version ${version}`);
}

/** The most memory that the process ever had, MB. */
function peakMb(pid: number): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}

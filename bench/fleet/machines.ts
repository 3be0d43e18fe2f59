import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fleetOf, type SshServer, type SshServers } from '../../test/support/sshd.ts';
import type { Lab } from '../support/lab.ts';

/** Real SSH servers, each with a folder of its own at the same path. */
export interface Machines {
  hosts: SshServer[];
  knownHosts: string;
  key: string;
  /** On each machine, and another one on each. */
  own: string;
  /** Ends every connection, so that whoever comes next begins with none. */
  cutAll(): void;
  stop(): Promise<void>;
}

/** Needs root. Returns once all of them listen. */
export async function startMachines(lab: Lab, count: number): Promise<Machines> {
  if (process.getuid?.() !== 0) {
    throw new Error('Machines with a folder of their own need mounts: run the bench `fleet` as root.');
  }
  const own = join(lab.folder, 'own');
  const servers = await fleetOf(count, { own });
  const { hosts, knownHosts, key } = servers;
  // Ctrl-C ends the process without the `finally` of whoever runs the bench; the servers end by themselves.
  const forget = () => rmSync(servers.folder, { recursive: true, force: true, maxRetries: 10 });
  process.once('exit', forget);
  return { hosts, knownHosts, key, own, cutAll: () => cutAll(servers), stop: () => end(servers, forget) };
}

function cutAll({ hosts }: SshServers): void {
  for (const host of hosts) host.cut();
}

async function end(servers: SshServers, forget: () => void): Promise<void> {
  await servers.stop();
  process.off('exit', forget);
}

/** An environments file with all of them as one target, whose releases are live by a link. */
export function writeEnvironments(lab: Lab, { hosts, knownHosts, key, own }: Machines): string {
  const { user } = hosts[0]!.options;
  const web = {
    host: { ssh: { user, key, knownHosts } },
    hosts: Object.fromEntries(
      hosts.map(({ name, address, port }) => [name, { address, connect: `${address}:${port}` }]),
    ),
    instances: 'link',
    ports: { web: 80 },
    folder: join(own, 'target'),
  };
  const environments = { environments: { [lab.environment]: { targets: { web } } } };
  return lab.write(`environments-${hosts.length}.yaml`, JSON.stringify(environments));
}

/** Text of a file below `own` of this machine; null where there is none. */
export function textOn({ root }: SshServer, name: string): string | null {
  try {
    return readFileSync(join(root, name), 'utf8');
  } catch {
    return null;
  }
}

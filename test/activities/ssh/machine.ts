import { afterAll } from 'vitest';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { closeConnections } from '../../../activities/ssh/pool.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { type SshServer, type SshServerSettings, type SshServers, startSshd } from '../../support/sshd.ts';

const started: { stop(): Promise<void> }[] = [];

afterAll(async () => {
  await closeConnections();
  await Promise.all(started.map((one) => one.stop()));
});

/** Ended when the file's tests are over. */
export function endLater<T extends { stop(): Promise<void> }>(servers: T): T {
  started.push(servers);
  return servers;
}

/** A real SSH server, and the port to it with `more` options. */
export async function aMachine(
  given: SshServerSettings = {},
): Promise<SshServer & { servers: SshServers; host: HostPort; reach(more: object): HostPort }> {
  const server = endLater(await startSshd(given));
  const reach = (more: object) => hostWith({ ...server.options, ...more });
  return { ...server, host: reach({}), reach };
}

/** What is undefined counts as not given. */
export function hostWith(options: object): HostPort {
  return createSshHost({ machine: null, secrets: null }, JSON.parse(JSON.stringify(options)));
}

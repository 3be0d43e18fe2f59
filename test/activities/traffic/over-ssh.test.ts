import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checks } from '../../../activities/checks/index.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { drain } from '../../../activities/traffic/drain.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { type Fleet, startFleet } from '../../support/proxies/fleet.ts';
import { proxyProducts } from '../../support/proxies/index.ts';
import type { ProxyProduct, ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { fleetOf, type SshServer, type SshServers } from '../../support/sshd.ts';

const { signal } = new AbortController();
const toBlue = { 'web1-blue': 0.5, 'web2-blue': 0.5 };
const toGreen = { 'web1-green': 0.5, 'web2-green': 0.5 };

let folder: string;
let servers: SshServers;
let server: SshServer;
let fleet: Fleet;
let proxy: ProxyUnderTest;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-over-ssh-'));
  servers = await fleetOf(1);
  server = servers.hosts[0]!;
  fleet = await startFleet(2, ['blue', 'green']);
});
afterEach(async () => {
  await proxy?.kill();
  await fleet.stop();
  await servers.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A real proxy whose machine is known by SSH alone. */
async function open(product: ProxyProduct) {
  const host = createSshHost({ machine: null, secrets: null }, server.options);
  const { hosts, ports } = fleet;
  proxy = await product.start({ folder, hosts, ports, host, configured: true });
  return { traffic: proxy.traffic, url: proxy.traffic.front(), host };
}

describe.each(proxyProducts)('$kind on another machine', (product) => {
  const clients = product.resetsKept ? { kept: 0, fresh: 14 } : { kept: 10, fresh: 5 };

  test('switches under load, is drained, measures and tells; without the machine all of it is worth another try', async () => {
    const { traffic, url, host } = await open(product);
    expect(await traffic.missing()).toEqual([]);
    expect(await traffic.observe()).toBeNull();
    await traffic.setWeights(toBlue);
    const from = Date.now();
    const load = startLoad(url, clients);
    const slow = askFront(`${url}/?ms=1000`);
    await until(async () => {
      const counts = await Promise.all(Object.keys(toBlue).map(traffic.inFlight));
      return counts.some((count) => count > 0);
    });
    await traffic.setWeights(toGreen);
    expect((await askFront(url)).slot).toMatch(/green/);
    for (const slot of Object.keys(toBlue)) await drain({ traffic, slot, drainMs: 30_000, signal });
    expect((await slow).slot).toMatch(/blue/);
    // What was there is found again by a connection of its own.
    server.cut();
    expect(await traffic.observe()).toMatchObject(toGreen);
    const { answered, lost } = await load.stop();
    expect(lost).toEqual([]);
    const both = [...Object.keys(toBlue), ...Object.keys(toGreen)];
    const measured = () => traffic.measure(both, from, Date.now() + 2_000);
    await until(async () => (await measured()).requests >= answered);
    expect(await measured()).toMatchObject({ errors: 0, p99Ms: expect.any(Number) });
    const looked = { method: 'GET', url: '/', headers: {}, contains: 'green', timeoutMs: 10_000 };
    expect(await checks.smoke(url, looked, signal, host)).toMatchObject({ status: 200 });

    await server.stop();
    const gone = { type: 'HostUnreachable', nonRetryable: false, message: expect.stringContaining(server.address) };
    await expect(traffic.observe()).rejects.toMatchObject(gone);
    await expect(traffic.setWeights(toBlue)).rejects.toMatchObject(gone);
    await expect(traffic.inFlight('web1-blue')).rejects.toMatchObject(gone);
    await expect(traffic.measure(both, from, Date.now())).rejects.toMatchObject(gone);
    await expect(checks.smoke(url, looked, signal, host)).rejects.toMatchObject(gone);
    expect((await askFront(url)).slot).toMatch(/green/);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

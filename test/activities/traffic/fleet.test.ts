import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { drain } from '../../../activities/traffic/drain.ts';
import type { Slot, Weights } from '../../../workflows/runbook/plan.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { type Fleet, startFleet } from '../../support/proxies/fleet.ts';
import { proxyProducts } from '../../support/proxies/index.ts';
import type { ProxyProduct, ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { stickyUsers } from '../../support/sticky-users.ts';

const { signal } = new AbortController();

let folder: string;
let fleet: Fleet;
let proxy: ProxyUnderTest;
afterEach(async () => {
  await proxy?.kill();
  await fleet?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** One real proxy in front of three machines, which are addresses of their own. */
async function open(product: ProxyProduct, sides: string[], sticky?: Sticky, configured = true) {
  folder = mkdtempSync(join(tmpdir(), `holdpoint-test-fleet-${product.kind}-`));
  fleet = await startFleet(3, sides);
  const { hosts, ports } = fleet;
  proxy = await product.start({ folder, hosts, ports, configured, ...(sticky === undefined ? {} : { sticky }) });
  return { traffic: proxy.traffic, url: proxy.traffic.front() };
}

const alike = (slots: Slot[], share = 1): Weights =>
  Object.fromEntries(slots.map((slot) => [slot, share / slots.length]));

const sideOf = (slot: string | null) => slot?.split('-')[1];
const machineOf = (slot: string | null) => slot?.split('-')[0];

describe.each(proxyProducts)('$kind', (product) => {
  const clients = product.resetsKept ? { kept: 0, fresh: 14 } : { kept: 10, fresh: 5 };
  const sticky = product.sticky[0];

  test('machines are taken out and in again one by one under load: nothing is lost, each is drained by itself', async () => {
    const { traffic, url } = await open(product, ['web']);
    const { slots } = fleet;
    expect(slots).toEqual(['web1', 'web2', 'web3']);
    expect(await traffic.missing()).toEqual([]);
    expect(await traffic.observe()).toBeNull();
    const from = Date.now();
    await traffic.setWeights(alike(slots));
    const load = startLoad(url, clients);
    for (const out of slots) {
      await traffic.setWeights(alike(slots.filter((slot) => slot !== out)));
      await drain({ traffic, slot: out, drainMs: 30_000, signal });
      expect((await traffic.observe())?.[out] ?? 0).toBe(0);
      await traffic.setWeights(alike(slots));
      await sleep(200);
    }
    const { answered, lost } = await load.stop();
    expect(lost).toEqual([]);
    const each = () => Promise.all(slots.map((slot) => traffic.measure([slot], from, Date.now() + 2_000)));
    await until(async () => (await each()).reduce((sum, { requests }) => sum + requests, 0) >= answered);
    for (const { requests, errors } of await each()) {
      expect(requests).toBeGreaterThan(answered / 6);
      expect(errors).toBe(0);
    }
  });

  test('a canary of 10 % is on every machine, each with its part, and all users go back to the old version', async () => {
    const { traffic, url } = await open(product, ['blue', 'green'], sticky);
    const blue = fleet.slots.filter((slot) => slot.endsWith('-blue'));
    const green = fleet.slots.filter((slot) => slot.endsWith('-green'));
    expect(await traffic.missing()).toEqual([]);
    await traffic.setWeights(alike(blue));
    const users = sticky === undefined ? null : stickyUsers(url, sticky, 60);
    const before = await users?.ask();
    for (const slot of before ?? []) expect(sideOf(slot)).toBe('blue');
    const load = startLoad(url, clients);
    const canary = { ...alike(blue, 0.9), ...alike(green, 0.1) };
    await traffic.setWeights(canary);
    const observed = (await traffic.observe())!;
    for (const slot of fleet.slots) expect(Math.abs(observed[slot]! - canary[slot]!)).toBeLessThan(0.011);
    const during = await users?.ask();
    during?.forEach((slot, user) => {
      if (sideOf(slot) === 'blue') expect(slot).toBe(before![user]);
    });
    await traffic.setWeights(alike(green));
    for (const slot of (await users?.ask()) ?? []) expect(sideOf(slot)).toBe('green');
    await traffic.setWeights(alike(blue));
    expect(await users?.ask()).toEqual(before);
    expect((await load.stop()).lost).toEqual([]);
  });

  test('a request in flight is counted for its own machine and side alone', async () => {
    const { traffic, url } = await open(product, ['blue', 'green']);
    await traffic.setWeights({ 'web2-blue': 1 });
    const slow = askFront(`${url}/?ms=1500`);
    await until(async () => (await traffic.inFlight('web2-blue')) > 0);
    expect(await Promise.all(['web1-blue', 'web2-green', 'web3-blue'].map(traffic.inFlight))).toEqual([0, 0, 0]);
    expect(machineOf((await slow).slot)).toBe('web2');
    await until(async () => (await traffic.inFlight('web2-blue')) === 0);
  });

  test('one that knows nothing of the fleet is told what to paste, and lacks nothing after that', async () => {
    const { traffic } = await open(product, ['web'], undefined, false);
    const lacks = await traffic.missing();
    expect(lacks).not.toEqual([]);
    await proxy.paste(lacks);
    expect(await traffic.missing()).toEqual([]);
  });
});

test('more than a hundred machines behind one proxy are refused, with what to do', async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-fleet-'));
  fleet = await startFleet(1, ['web']);
  const hosts = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`web${n}`, { address: `10.0.0.${n}` }]));
  for (const product of proxyProducts.filter(({ kind }) => kind !== 'nginx-reload')) {
    const place = mkdtempSync(join(folder, product.kind));
    proxy = await product.start({ folder: place, hosts, ports: fleet.ports, configured: false });
    const refused = { type: 'TooManySlots', message: expect.stringContaining('at most 100 machines of a fleet') };
    await expect(proxy.traffic.setWeights(alike(Object.keys(hosts)))).rejects.toMatchObject(refused);
    expect((await proxy.traffic.missing())[0]).toContain('these are 101');
    await proxy.kill();
  }
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

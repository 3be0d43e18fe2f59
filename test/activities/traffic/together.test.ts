import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { drain } from '../../../activities/traffic/drain.ts';
import { together } from '../../../activities/traffic/together.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { type Fleet, startFleet } from '../../support/proxies/fleet.ts';
import { haproxy } from '../../support/proxies/haproxy.ts';
import { nginx } from '../../support/proxies/nginx.ts';
import type { ProxyProduct, ProxyUnderTest } from '../../support/proxies/proxy.ts';

const { signal } = new AbortController();
const toBlue = { 'web1-blue': 0.5, 'web2-blue': 0.5 };
const toGreen = { 'web1-green': 0.5, 'web2-green': 0.5 };

let folder: string;
let fleet: Fleet;
let proxies: ProxyUnderTest[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-together-'));
  fleet = await startFleet(2, ['blue', 'green']);
  proxies = [];
});
afterEach(async () => {
  for (const proxy of proxies) await proxy.kill();
  await fleet.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Two real proxies, each with files of its own, before the same machines. */
async function open(product: ProxyProduct) {
  for (const name of ['lb1', 'lb2']) {
    mkdirSync(join(folder, name));
    const { hosts, ports } = fleet;
    proxies.push(await product.start({ folder: join(folder, name), hosts, ports, configured: true }));
  }
  const [one, other] = proxies.map(({ traffic }) => traffic) as [Traffic, Traffic];
  const traffic = together([
    { name: 'lb1', traffic: one },
    { name: 'lb2', traffic: other },
  ]);
  return { traffic, one, other };
}
type Traffic = ProxyUnderTest['traffic'];

test.each([haproxy, nginx])(
  'two of $kind switch together under load, and are drained and measured as one',
  async (product) => {
    const { traffic, one, other } = await open(product);
    expect(await traffic.missing()).toEqual([]);
    expect(await traffic.observe()).toBeNull();
    await traffic.setWeights(toBlue);
    const from = Date.now();
    const loads = [one, other].map((each) => startLoad(each.front(), { kept: 5, fresh: 2 }));
    const slow = [one, other].map((each) => askFront(`${each.front()}/?ms=1200`));
    const inFlight = async (each: Traffic) =>
      (await Promise.all(Object.keys(toBlue).map(each.inFlight))).reduce((sum, count) => sum + count, 0);
    await until(async () => (await inFlight(one)) > 0 && (await inFlight(other)) > 0 && (await inFlight(traffic)) >= 2);
    await traffic.setWeights(toGreen);
    for (const each of [one, other]) expect((await askFront(each.front())).slot).toMatch(/green/);
    for (const slot of Object.keys(toBlue)) await drain({ traffic, slot, drainMs: 30_000, signal });
    for (const { slot } of await Promise.all(slow)) expect(slot).toMatch(/blue/);
    expect(await traffic.observe()).toEqual(await one.observe());
    const answered = await Promise.all(loads.map((load) => load.stop()));
    expect(answered.flatMap(({ lost }) => lost)).toEqual([]);
    const all = [...Object.keys(toBlue), ...Object.keys(toGreen)];
    const requests = answered.reduce((sum, load) => sum + load.answered, 0) + 4;
    await until(async () => (await traffic.measure(all, from, Date.now() + 2_000)).requests >= requests);
    const to = Date.now() + 2_000;
    const [both, first, second] = await Promise.all([traffic, one, other].map((each) => each.measure(all, from, to)));
    expect(both).toMatchObject({ requests: first!.requests + second!.requests, errors: 0 });
    expect(both!.p95Ms).toBeGreaterThanOrEqual(Math.min(first!.p95Ms!, second!.p95Ms!));
    expect(both!.p95Ms).toBeLessThanOrEqual(Math.max(first!.p95Ms!, second!.p95Ms!));
    expect(await traffic.notices()).toEqual([]);
    expect(traffic.front()).toBe(one.front());
  },
);

test('where one is down the other is changed, the message says who has what, and the next attempt finishes it', async () => {
  const { traffic, one, other } = await open(haproxy);
  await traffic.setWeights(toBlue);
  await proxies[1]!.kill();
  await expect(traffic.setWeights(toGreen)).rejects.toMatchObject({
    type: 'ProxyUnreachable',
    nonRetryable: false,
    message: expect.stringMatching(
      /^lb1 has the new shares, and lb2 has not: HAProxy's runtime API does not answer at/,
    ),
  });
  expect((await askFront(one.front())).slot).toMatch(/green/);
  const named = { type: 'ProxyUnreachable', message: expect.stringMatching(/^lb2: HAProxy's runtime API/) };
  await expect(traffic.observe()).rejects.toMatchObject(named);
  await expect(traffic.inFlight('web1-blue')).rejects.toMatchObject(named);
  await expect(traffic.measure(['web1-blue'], 0, 1)).rejects.toMatchObject(named);
  expect(await traffic.missing()).toEqual([expect.stringMatching(/^lb2: HAProxy's runtime API/)]);

  await proxies[1]!.startAgain();
  expect(await traffic.observe()).toEqual({
    'web1-blue': 0.25,
    'web2-blue': 0.25,
    'web1-green': 0.25,
    'web2-green': 0.25,
  });
  expect(await traffic.notices()).toEqual([
    'The balancers do not share alike: lb1 has web1-green 50 %, web2-green 50 %; lb2 has web1-blue 50 %, web2-blue 50 %. ' +
      '`holdpoint rollback` brings them together.',
  ]);
  const still = drain({ traffic, slot: 'web1-blue', drainMs: 5_000, signal });
  await expect(still).rejects.toMatchObject({ type: 'StillServes', message: expect.stringContaining('has 25%') });
  await traffic.setWeights(toGreen);
  expect(await traffic.observe()).toMatchObject(toGreen);
  expect(await traffic.notices()).toEqual([]);
  expect((await askFront(other.front())).slot).toMatch(/green/);
});

test('a balancer that was never set counts for none of the shares, so the others alone are not what was confirmed', async () => {
  const { traffic, one } = await open(haproxy);
  await one.setWeights(toBlue);
  expect(await traffic.observe()).toMatchObject({ 'web1-blue': 0.25, 'web2-blue': 0.25 });
  expect(await traffic.notices()).toEqual([expect.stringContaining('lb2 has no shares yet')]);
});

test('one alone is as it is', async () => {
  const { one } = await open(haproxy);
  expect(together([{ name: 'lb1', traffic: one }])).toBe(one);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

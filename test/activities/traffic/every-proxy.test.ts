import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { drain } from '../../../activities/traffic/drain.ts';
import type { Slot } from '../../../workflows/runbook/plan.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { proxyProducts } from '../../support/proxies/index.ts';
import type { ProxyProduct, ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';
import { stickyUsers } from '../../support/sticky-users.ts';
import { beginUpload } from '../../support/upload.ts';

const twoSlots = ['blue', 'green'];
const pool = ['web-1', 'web-2', 'web-3'];
const wholePool = { 'web-1': 1 / 3, 'web-2': 1 / 3, 'web-3': 1 / 3 };
const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };
const canary = (percent: number) => ({ blue: (100 - percent) / 100, green: percent / 100 });

let folder: string;
let slots: ProxySlots;
let proxy: ProxyUnderTest;
afterEach(async () => {
  await proxy?.kill();
  await slots?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(product: ProxyProduct, names: Slot[], { sticky, configured = true }: Opening = {}) {
  folder = mkdtempSync(join(tmpdir(), `holdpoint-test-${product.kind}-`));
  slots = await startSlots(names);
  const { ports } = slots;
  proxy = await product.start({ folder, ports, configured, ...(sticky === undefined ? {} : { sticky }) });
  return { traffic: proxy.traffic, url: proxy.traffic.front() };
}

interface Opening {
  sticky?: Sticky;
  configured?: boolean;
}

describe.each(proxyProducts)('$kind', (product) => {
  const stickyProduct = product.sticky.length > 0;
  const clients = product.resetsKept ? { kept: 0, fresh: 14 } : { kept: 10, fresh: 5 };

  test('before the first deploy nobody is served', async () => {
    const { traffic, url } = await open(product, twoSlots);
    expect(await traffic.missing()).toEqual([]);
    expect(await traffic.observe()).toBeNull();
    const { outcome, slot } = await askFront(url);
    expect(slot).toBeNull();
    expect(outcome).toMatch(/^[45]\d\d$/);
  });

  test('twenty switches under load lose no request, and each new request goes to the wanted slot', async () => {
    const { traffic, url } = await open(product, twoSlots);
    await traffic.setWeights(toBlue);
    const load = startLoad(url, clients);
    const missed: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const [weights, wanted] = turn % 2 === 0 ? ([toGreen, 'green'] as const) : ([toBlue, 'blue'] as const);
      await traffic.setWeights(weights);
      const { slot } = await askFront(url);
      if (slot !== wanted) missed.push(`switch ${turn} to ${wanted} was answered by ${slot}`);
      await sleep(100);
    }
    const { answered, lost } = await load.stop();
    expect({ missed, lost }).toEqual({ missed: [], lost: [] });
    expect(answered).toBeGreaterThan(300);
  });

  test.each(product.sticky)('users known by %j move to a canary once, and all back', async (sticky) => {
    const { traffic, url } = await open(product, twoSlots, { sticky });
    await traffic.setWeights(toBlue);
    const users = stickyUsers(url, sticky, 60);
    expect(new Set(await users.ask())).toEqual(new Set(['blue']));
    const seen = [];
    for (const percent of [1, 5, 10, 25, 50, 75, 100]) {
      await traffic.setWeights(canary(percent));
      expect(await traffic.observe()).toEqual(canary(percent));
      seen.push(await users.ask());
    }
    for (let user = 0; user < 60; user++) {
      const moves = seen.map((step) => step[user]);
      expect(moves, `user ${user}`).toEqual([...moves].sort());
    }
    expect(new Set(seen.at(-1))).toEqual(new Set(['green']));
    const atHalf = seen[4]!.filter((slot) => slot === 'green').length;
    expect(atHalf).toBeGreaterThan(5);
    expect(atHalf).toBeLessThan(55);
    await traffic.setWeights(canary(50));
    expect(await users.ask()).toEqual(seen[4]);
    await traffic.setWeights(toBlue);
    expect(new Set(await users.ask())).toEqual(new Set(['blue']));
  });

  test('without a sticky option each request is drawn by itself, in the shares wanted', async () => {
    const { traffic, url } = await open(product, twoSlots);
    await traffic.setWeights(canary(25));
    const answers = [];
    for (let n = 0; n < 40; n++) answers.push(...(await Promise.all(Array.from({ length: 10 }, () => askFront(url)))));
    const green = answers.filter(({ slot }) => slot === 'green').length;
    expect(green).toBeGreaterThan(50);
    expect(green).toBeLessThan(150);
  });

  test('of a pool of three one is taken out and in again: nothing is lost, and the users of the others stay', async () => {
    const sticky = product.sticky[0];
    const { traffic, url } = await open(product, pool, sticky === undefined ? {} : { sticky });
    await traffic.setWeights(wholePool);
    const users = sticky === undefined ? null : stickyUsers(url, sticky, 30);
    const before = await users?.ask();
    if (before) expect(new Set(before)).toEqual(new Set(pool));
    const load = startLoad(url, clients);
    for (const out of pool) {
      const others = pool.filter((slot) => slot !== out);
      await traffic.setWeights({ [others[0]!]: 0.5, [others[1]!]: 0.5 });
      const without = await users?.ask();
      if (without) expect(without).not.toContain(out);
      const stayed = before?.flatMap((slot, user) => (slot === out ? [] : [[slot, without![user]]]));
      for (const [was, is] of stayed ?? []) expect(is).toBe(was);
      await drain({ traffic, slot: out, drainMs: 30_000, signal: new AbortController().signal });
      await traffic.setWeights(wholePool);
      expect(await users?.ask()).toEqual(before);
    }
    expect((await load.stop()).lost).toEqual([]);
  });

  test('requests in flight are counted until the last slow answer, idle connections are not', async () => {
    const { traffic, url } = await open(product, twoSlots);
    await traffic.setWeights(toBlue);
    const load = startLoad(url, product.resetsKept ? { kept: 0, fresh: 5 } : { kept: 5, fresh: 0 });
    await sleep(100);
    let ended = 0;
    const slow = [900, 1_100, 1_300].map(async (ms) => {
      const answer = await askFront(`${url}/?ms=${ms}`, { method: 'POST' });
      ended += 1;
      return answer;
    });
    await until(async () => (await traffic.inFlight('blue')) >= 3);
    await traffic.setWeights(toGreen);
    expect(ended).toBeLessThan(3);
    const { mostInFlight } = await drain({
      traffic,
      slot: 'blue',
      drainMs: 30_000,
      signal: new AbortController().signal,
    });
    expect(ended).toBe(3);
    expect(mostInFlight).toBeGreaterThan(0);
    expect((await Promise.all(slow)).map(({ outcome, slot }) => `${outcome} ${slot}`)).toEqual(
      Array(3).fill('200 blue'),
    );
    expect((await load.stop()).lost).toEqual([]);
  });

  test('an upload that is under way at the switch is counted, and ends where it began', async () => {
    const { traffic, url } = await open(product, twoSlots);
    await traffic.setWeights(toBlue);
    const upload = beginUpload(url);
    await upload.begun;
    // The proxy has met the request once it has answered some that came after it.
    for (let n = 0; n < 20; n++) await askFront(url);
    await traffic.setWeights(toGreen);
    expect(await traffic.inFlight('blue')).toBeGreaterThan(0);
    expect(await upload.end()).toBe('200 blue');
    const { signal } = new AbortController();
    await drain({ traffic, slot: 'blue', drainMs: 30_000, signal });
  });

  test('killed between two weights and started again it serves the last ones, to the same users', async () => {
    const sticky = product.sticky[0];
    const { traffic, url } = await open(product, twoSlots, sticky === undefined ? {} : { sticky });
    await traffic.setWeights(toBlue);
    await traffic.setWeights(canary(25));
    await traffic.setWeights(canary(50));
    const users = stickyProduct ? stickyUsers(url, sticky!, 30) : null;
    const before = await users?.ask();
    await proxy.kill();
    await proxy.startAgain();
    expect(await traffic.observe()).toEqual(canary(50));
    expect(await users?.ask()).toEqual(before);
    await traffic.setWeights(toGreen);
    expect((await askFront(url)).slot).toBe('green');
  });

  test('what it measured is what the clients counted', async () => {
    const { traffic, url } = await open(product, twoSlots);
    await traffic.setWeights(toBlue);
    const from = Date.now();
    for (const path of ['/', '/?ms=150', '/?status=404', '/?status=500', '/?status=503']) await askFront(url + path);
    await traffic.setWeights(toGreen);
    for (let n = 0; n < 20; n++) await askFront(`${url}/?status=${n < 2 ? 500 : 200}`);
    const measured = (names: Slot[]) => traffic.measure(names, from, Date.now() + 2_000);
    await until(async () => (await measured(['green'])).requests >= 20);
    expect(await measured(['blue'])).toMatchObject({ requests: 5, errors: 2 });
    expect(await measured(['green'])).toMatchObject({ requests: 20, errors: 2 });
    const both = await measured(twoSlots);
    expect(both).toMatchObject({ requests: 25, errors: 4 });
    expect(both.p99Ms).toBeGreaterThanOrEqual(145);
    expect(both.p50Ms).toBeLessThan(145);
    const before = await traffic.measure(twoSlots, from - 60_000, from - 1_000);
    expect(before).toMatchObject({ requests: 0, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null });
    // One that keeps only its newest requests says how far back they reach.
    expect(before.windowMs).toBeLessThanOrEqual(59_000);
  });

  test('one that is set up otherwise says what to paste, and lacks nothing after that', async () => {
    const sticky = product.sticky[0];
    const { traffic, url } = await open(product, pool, {
      configured: false,
      ...(sticky === undefined ? {} : { sticky }),
    });
    const lacks = await traffic.missing();
    expect(lacks).not.toEqual([]);
    await proxy.paste(lacks);
    expect(await traffic.missing()).toEqual([]);
    await traffic.setWeights(wholePool);
    expect((await askFront(url)).outcome).toBe('200');
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

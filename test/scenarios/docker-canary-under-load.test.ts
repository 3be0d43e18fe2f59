import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';
import { stickyUsers } from '../support/sticky-users.ts';

let registry: RunningRegistry;
let site: DockerSite;
beforeAll(async () => {
  registry = await startRegistry();
});
afterEach(() => site.close());
afterAll(() => registry.close());

const ask = (share: string) => ({ share, for: '2s', hold: { ask: `Go on after ${share}?` } });
const smoke = ['GET /', { post: '/orders', json: { sku: 'test' }, expect: 201 }];
const verify = { smoke, hold: { ask: 'Confirm?' } };
/** Of the users of before, nobody goes back to the old version, and nobody changes twice. */
const moved = (before: (string | null)[], after: (string | null)[]) =>
  before.every((version, user) => version === '1' || after[user] === version);
const of = (version: string, users: (string | null)[]) => users.filter((one) => one === version).length;

describe.each(['nginx', 'haproxy'] as const)('a canary on Docker behind %s, under load', (proxy) => {
  test('loses no request, keeps every user with one version, and stops the old container last', async () => {
    const sticky = { ownCookie: 'release' };
    site = await DockerSite.open({ registry, proxy, sticky, releases: [{ version: '1' }, { version: '2' }] });
    await site.live('1');
    site.work();
    const load = new ShopLoad(site.url);
    const users = stickyUsers(site.url, sticky, 100);
    const before = await users.ask();
    expect(of('1', before)).toBe(100);

    const run = await site.deploy('2', { rollout: { steps: [ask('10%'), ask('50%'), '100%'] }, verify });
    await run.asks('rollout.hold-10');
    const atTen = await users.ask();
    expect(of('1', atTen)).toBeGreaterThan(50);
    await run.answer('approve');
    await run.asks('rollout.hold-50');
    const atFifty = await users.ask();
    expect(moved(atTen, atFifty)).toBe(true);
    expect(of('2', atFifty)).toBeGreaterThan(of('2', atTen));
    expect(of('1', atFifty)).toBeGreaterThan(20);

    const slow = fetch(`${site.url}/slow?ms=8000`).then((response) => response.json());
    await run.answer('approve');
    await run.asks('verify.hold');
    expect(of('2', await users.ask())).toBe(100);
    const old = await site.container(`${site.service}-blue`);
    expect(old?.State.Running).toBe(true);
    await run.answer('approve');
    const status = await run.end();
    expect(['1', '2']).toContain(((await slow) as { version: string }).version);
    const { sent, lost, perSecond } = await load.stop();
    console.info(
      `${proxy}: ${sent} sent, ${lost.length} lost, ${perSecond} a second; ${JSON.stringify(status.receipt)}`,
    );

    expect(status).toMatchObject({ outcome: 'succeeded', release: '2', from: '1' });
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    expect(await site.container(`${site.service}-blue`)).toBeNull();
    expect(status.steps.find(({ id }) => id === 'confirm.stop-old')?.evidence).toMatchObject({ end: 'exit code 0' });
    const shift = status.steps
      .filter(({ id }) => id.startsWith('rollout.shift'))
      .map(({ evidence }) => evidence?.green);
    expect(shift).toEqual([0.1, 0.5, 1]);
    expect(status.receipt).toMatchObject({ probed: { lost: 0, failed: 0 } });
    const { served, probed } = status.receipt!;
    expect(Object.values(served).map(({ errors }) => errors)).toEqual([0, 0]);
    for (const version of ['1', '2']) expect(served[version]!.requests).toBeGreaterThan(100);
    expect(probed!.sent).toBeGreaterThan(50);
    expect(probed!.longestGapMs).toBeGreaterThan(0);
  }, 180_000);
});

import { afterEach, expect, test } from 'vitest';
import { Load } from '../support/load.ts';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

let site: Site;
let client: Awaited<ReturnType<typeof clientOf>>;
afterEach(async () => {
  await client.close();
  await site.close();
});

/** Version 1, then version 2, both confirmed. */
async function twoDeploys(rollout: Record<string, unknown> = {}) {
  site = await Site.open([{ version: '1' }, { version: '2' }]);
  site.work();
  client = await clientOf(site);
  for (const version of ['1', '2']) {
    expect((await (await client.deploy(version, { rollout })).end()).outcome).toBe('succeeded');
  }
}
const rollBack = (rollout: Record<string, unknown> = {}) => client.deploy(null, { rollout }, { intent: 'rollback' });
const served = async () => (await fetch(site.url)).headers.get('x-version');

test('after a deploy whose old version was kept, rollback is a switch to the process that still runs', async () => {
  await twoDeploys({ old: 'keep' });
  const load = new Load(site.url);
  const status = await (await rollBack({ old: 'keep' })).end();
  await load.stop();
  expect(status).toMatchObject({ outcome: 'rolled back', release: '1', from: '2' });
  expect(site.startedVersions).toEqual(['1', '2']);
  expect(load.lost).toEqual([]);
  expect(await served()).toBe('1');
});

test('after one whose old version was stopped, rollback deploys it again, and loses nothing either', async () => {
  await twoDeploys();
  const load = new Load(site.url);
  const status = await (await rollBack()).end();
  await load.stop();
  expect(status.outcome).toBe('rolled back');
  expect(site.startedVersions).toEqual(['1', '2', '1']);
  expect(load.lost).toEqual([]);
  expect(await served()).toBe('1');
  expect((await (await rollBack()).end()).sentence).toContain('nothing is recorded before it');
});

test('after the workflow was terminated from outside, rollback finds at the target what to bring back', async () => {
  site = await Site.open([{ version: '1' }, { version: '2' }, { version: '3' }]);
  site.work();
  client = await clientOf(site);
  await (await client.deploy('1')).end();
  const run = await client.deploy('2', { verify: { hold: { ask: 'Confirm?' } } });
  await run.asks('verify.hold');
  expect(await served()).toBe('2');
  await run.handle.terminate('by hand');

  const over = await (await client.deploy('3')).end();
  expect(over).toMatchObject({ outcome: 'failed', changed: false });
  expect(over.sentence).toContain('holdpoint rollback');
  const load = new Load(site.url);
  expect((await (await rollBack()).end()).outcome).toBe('rolled back');
  await load.stop();
  expect(load.lost).toEqual([]);
  expect(await served()).toBe('1');
  expect(site.startedVersions).toEqual(['1', '2']);
  expect((await (await client.deploy('3')).end()).outcome).toBe('succeeded');
});

test('recreate announces its outage, and a version that does not come up is replaced by the old one', async () => {
  site = await Site.open([{ version: '1' }, { version: '2' }, { version: '3', broken: 'unhealthy' }]);
  site.work();
  client = await clientOf(site);
  const rollout = { strategy: 'recreate', deadline: '3s' };
  await (await client.deploy('1', { rollout })).end();
  const good = await (await client.deploy('2', { rollout })).end();
  expect(good.notices.join()).toContain('is down from the stop of 1');
  expect(await served()).toBe('2');
  const bad = await (await client.deploy('3', { rollout })).end();
  expect(bad.outcome).toBe('rolled back');
  expect(await served()).toBe('2');
});

import { afterEach, describe, expect, test } from 'vitest';
import { Load } from '../support/load.ts';
import { clientOf } from '../support/real-deploy.ts';
import { type Release, Site } from '../support/site.ts';

let site: Site;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await site.close();
});

/** A site where version 1 is live and confirmed. */
async function serving(...others: Release[]) {
  site = await Site.open([{ version: '1' }, ...others]);
  site.work();
  const client = await clientOf(site);
  expect((await (await client.deploy('1')).end()).outcome).toBe('succeeded');
  return client;
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pidOf = (version: string) => Number(site.starts.find((line) => line.startsWith(`${version} `))?.split(' ')[1]);
const hold = { ask: 'Confirm?' };
const smoke = ['GET /', { post: '/orders', json: { sku: 'test' }, expect: 201 }];

describe('law 1: the old version is alive until the deploy is confirmed', () => {
  test('it runs at the hold, and is stopped after the yes', async () => {
    const client = await serving({ version: '2' });
    load = new Load(site.url);
    const run = await client.deploy('2', { verify: { hold } });
    await run.asks('verify.hold');
    expect(isAlive(pidOf('1'))).toBe(true);
    await run.answer('approve');
    expect((await run.end()).outcome).toBe('succeeded');
    await load.stop();
    expect(load.lost).toEqual([]);
    await client.close();
  });

  test('going back is a traffic switch, not a start: the same process serves again', async () => {
    const client = await serving({ version: '2' });
    load = new Load(site.url);
    const run = await client.deploy('2', { verify: { hold } });
    await run.asks('verify.hold');
    await run.send('rollback', { by: 'ana', reason: 'looks odd' });
    expect((await run.end()).outcome).toBe('rolled back');
    await load.stop();
    expect(load.lost).toEqual([]);
    expect(site.startedVersions).toEqual(['1', '2']);
    expect(load.answers.at(-1)?.version).toBe('1');
    await client.close();
  });
});

describe('law 2: traffic never points at an instance that has not just passed its probe', () => {
  test.each(['exits', 'unhealthy'] as const)('a release that %s never takes traffic', async (broken) => {
    const client = await serving({ version: '2', broken });
    load = new Load(site.url);
    const run = await client.deploy('2', { rollout: { deadline: '3s' } });
    const status = await run.end();
    await load.stop();
    expect(status.outcome).toBe('rolled back');
    expect(load.versions).toEqual(['1']);
    expect(load.lost).toEqual([]);
    if (broken === 'exits') expect(status.sentence).toContain('no such table: orders');
    await client.close();
  });

  test('a release whose health check lies is found by its smoke test, before it takes traffic', async () => {
    const client = await serving({ version: '2', broken: 'orders' });
    load = new Load(site.url);
    const status = await (await client.deploy('2', { verify: { smoke } })).end();
    await load.stop();
    expect(status.sentence).toMatch(/rollout.smoke failed: .*POST .*\/orders.*201.*500/s);
    expect(load.versions).toEqual(['1']);
    await client.close();
  });
});

describe('law 3: nothing is stopped before it is drained, and the drain is observed', () => {
  test('a request that takes longer than the switch ends on the old version', async () => {
    const client = await serving({ version: '2' });
    const run = await client.deploy('2', { verify: { hold } });
    await run.asks('verify.hold');
    // Sent to the old version's own port would prove nothing: it goes through the proxy, before the way back.
    const slow = fetch(`${site.url}/slow?ms=3000`).then((response) => response.json());
    await new Promise((resolve) => setTimeout(resolve, 300));
    await run.send('abort', { by: 'ana' });
    const status = await run.end();
    expect(await slow).toEqual({ version: '2' });
    expect(status.outcome).toBe('aborted');
    await client.close();
  });

  test('one that does not drain after the confirmation is left running, and needs attention', async () => {
    const client = await serving({ version: '2' });
    const slow = fetch(`${site.url}/slow?ms=8000`).then((response) => response.json());
    await new Promise((resolve) => setTimeout(resolve, 300));
    const status = await (await client.deploy('2', { rollout: { drain: '1s' } })).end();
    expect(status).toMatchObject({ outcome: 'needs attention', release: '2' });
    expect(status.sentence).toContain('still in flight to blue');
    expect(await slow).toEqual({ version: '1' });
    expect(isAlive(pidOf('1'))).toBe(true);
    await client.close();
  });

  test('but going back does not wait for ever for the version that it leaves', async () => {
    const client = await serving({ version: '2' });
    const run = await client.deploy('2', { verify: { hold }, rollout: { drain: '1s', grace: '1s' } });
    await run.asks('verify.hold');
    const slow = fetch(`${site.url}/slow?ms=20000`).then((response) => response.status);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await run.send('rollback', { by: 'ana' });
    expect((await run.end()).outcome).toBe('rolled back');
    expect(await slow).toBe(502);
    expect(isAlive(pidOf('2'))).toBe(false);
    await client.close();
  });
});

describe('law 9: no data is neither pass nor fail', () => {
  test('a watch without traffic asks a person', async () => {
    const client = await serving({ version: '2' });
    const run = await client.deploy('2', { verify: { watch: { for: '1s', errors: '< 1%' } } });
    const { hold: open } = await run.asks('verify.watch');
    expect(open?.ask).toContain('too little data');
    await run.answer('reject', 'ana');
    expect((await run.end()).outcome).toBe('aborted');
    await client.close();
  });

  test('with traffic, errors that the proxy saw fail the verdict and give all traffic back', async () => {
    const client = await serving({ version: '2', broken: 'pages' });
    load = new Load(site.url);
    const run = await client.deploy('2', { verify: { watch: { for: '20s', errors: '< 5%', samples: 30 } } });
    const status = await run.end();
    await load.stop();
    expect(status.outcome).toBe('rolled back');
    expect(status.steps.find(({ id }) => id === 'verify.watch')?.evidence?.verdict).toBe('failed');
    expect(load.answers.at(-1)?.version).toBe('1');
    expect(load.lost.every(({ version }) => version === '2')).toBe(true);
    await client.close();
  });
});

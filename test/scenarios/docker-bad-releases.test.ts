import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import type { ReleaseImage } from '../support/images.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';

let registry: RunningRegistry;
let site: DockerSite;
beforeAll(async () => {
  registry = await startRegistry();
  site = await DockerSite.open({
    registry,
    docker: { memory: '96m' },
    releases: [{ version: '1' }, { version: 'next' }],
  });
  await site.live('1');
  site.work();
});
afterAll(async () => {
  await site.close();
  await registry.close();
});

/** Deploys it under load. The image that was pulled may stay; nothing else may. */
async function deployed(version: string, headings: Record<string, unknown> = {}) {
  const before = await site.footprint();
  const load = new ShopLoad(site.url);
  const status = await (await site.deploy(version, headings)).end();
  const ended = Date.now();
  await sleep(500);
  const { sent, lost } = await load.stop();
  console.info(`${version}: ${sent} sent, ${lost.length} lost; ${status.sentence}`);
  expect(await site.footprint()).toEqual({ ...before, images: expect.arrayContaining(before.images) });
  return { before, status, lost, ended, load };
}

async function released(broken: NonNullable<ReleaseImage['broken']>): Promise<string> {
  await site.release({ version: broken, broken });
  return broken;
}

describe('refused before anything is touched:', { timeout: 180_000 }, () => {
  async function refused(version: string) {
    const { before, status, lost } = await deployed(version);
    expect(status).toMatchObject({ outcome: 'failed', changed: false, steps: [] });
    expect(lost).toEqual([]);
    expect((await site.footprint()).images).toEqual(before.images);
    return status.sentence;
  }

  test('a version that the registry does not have', async () => {
    expect(await refused('9')).toMatch(/no release 9 of shop-.*there is 1/);
  });

  test('any version, while the registry is down; the same deploy succeeds once it is back', async () => {
    await registry.stop();
    expect(await refused('next')).toMatch(/Registry 127.0.0.1:\d+ does not answer/);
    await registry.startAgain();
  });
});

describe('taken back without ever having had traffic:', { timeout: 180_000 }, () => {
  async function neverServes(version: string, headings: Record<string, unknown> = {}) {
    const { status, lost, load } = await deployed(version, headings);
    expect(status.outcome).toBe('rolled back');
    expect(load.versionsSince(0)).toEqual(['1']);
    expect(lost).toEqual([]);
    expect(status.receipt?.probed).toMatchObject({ lost: 0, failed: 0 });
    return status.sentence;
  }

  test('a container that exits at once, whose last lines are in the error', async () => {
    const sentence = await neverServes(await released('exits'));
    expect(sentence).toMatch(/ended at once in green, with exit code 3.*no such table: orders/s);
  });

  test('one that never gets healthy', async () => {
    const sentence = await neverServes(await released('unhealthy'), { rollout: { deadline: '5s' } });
    expect(sentence).toMatch(/green is (starting|unhealthy) by its own HEALTHCHECK/);
  });

  test('one that is killed for its memory', async () => {
    const start = ['node', '-e', 'for (const eaten = []; ; ) eaten.push(Buffer.alloc(16 << 20, 1))'];
    expect(await neverServes('next', { rollout: { start } })).toContain('out of memory (exit code 137)');
  });

  test('one whose smoke test fails', async () => {
    const verify = { smoke: [{ post: '/orders', json: { sku: 'test' }, expect: 201 }] };
    expect(await neverServes(await released('orders'), { verify })).toMatch(/rollout.smoke failed: .*500/s);
  });

  test('one whose port somebody else has', async () => {
    const other = createServer().listen(site.ports.green, '127.0.0.1');
    await once(other, 'listening');
    const sentence = await neverServes('next');
    expect(sentence).toContain(`port ${site.ports.green} is taken by a process that Docker did not start`);
    other.close();
  });
});

test('a version that answers with errors at 10 % fails its verdict, and everything is as before', async () => {
  const { status, lost, load, ended } = await deployed(await released('pages'), { rollout: { bake: '30s' } });
  expect(status.outcome).toBe('rolled back');
  const bake = status.steps.find(({ id }) => id === 'rollout.bake-10');
  expect(bake).toMatchObject({ state: 'failed', verdict: { word: 'failed' } });
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.every((one) => one.endsWith('500 of pages'))).toBe(true);
  expect(load.versionsSince(ended)).toEqual(['1']);
  expect(status.receipt!.served.pages!.errors).toBeGreaterThanOrEqual(lost.length / 2);
}, 180_000);

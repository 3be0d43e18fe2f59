import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../parts/ports.ts';
import { compose } from '../support/compose-cli.ts';
import { engine } from '../support/docker-engine.ts';
import { imageOf, type ReleaseImage, removeImages } from '../support/images.ts';
import { credentials, startRegistry } from '../support/registry.ts';

const repository = `parts-${randomUUID().slice(0, 8)}`;
afterAll(() => removeImages(repository));

async function start(release: Omit<ReleaseImage, 'repository'>, limits: object = {}): Promise<[Container, string]> {
  const port = String(await freePort());
  const container = await engine().createContainer({
    Image: await imageOf({ repository, ...release }),
    HostConfig: { PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: port }] }, ...limits },
  });
  await container.start();
  return [container, `http://127.0.0.1:${port}`];
}

async function health(container: Container, wanted: string): Promise<void> {
  while ((await container.inspect()).State.Health?.Status !== wanted) await sleep(50);
}

test('a release runs in a container, says that it is healthy, answers, and ends when asked to', async () => {
  const [container, url] = await start({ version: '1' });
  await health(container, 'healthy');
  expect(await (await fetch(url)).json()).toEqual({ version: '1' });
  await container.stop({ t: 10 });
  expect((await container.inspect()).State.ExitCode).toBe(0);
});

test('a release can misbehave in a container as it can outside', async () => {
  const [unhealthy] = await start({ version: '2', broken: 'unhealthy' });
  const [exits] = await start({ version: '3', broken: 'exits' });
  const [silent] = await start({ version: '4', healthcheck: false });
  const [deaf] = await start({ version: '5', broken: 'deaf' });
  const [hungry] = await start({ version: '6', broken: 'hungry' }, { Memory: 96 << 20, MemorySwap: 96 << 20 });
  expect(await exits.wait()).toMatchObject({ StatusCode: 3 });
  expect(String(await exits.logs({ stderr: true }))).toContain('no such table: orders');
  expect((await silent.inspect()).State.Health).toBeUndefined();
  await deaf.stop({ t: 1 });
  expect((await deaf.inspect()).State.ExitCode).toBe(137);
  await hungry.wait();
  expect((await hungry.inspect()).State.OOMKilled).toBe(true);
  await health(unhealthy, 'unhealthy');
});

test('an image that was pushed to a registry is there, also after it was killed, and for nobody without its password', async () => {
  for (const locked of [false, true]) {
    const registry = await startRegistry({ locked });
    const shop = `${registry.host}/${repository}`;
    try {
      const reference = await imageOf({ repository: shop, version: '1', runs: false });
      expect(await registry.push(reference)).toMatch(/^sha256:[0-9a-f]{64}$/);
      await registry.kill();
      await registry.startAgain();
      const tags = await fetch(`http://${registry.host}/v2/${repository}/tags/list`, {
        headers: locked ? authorization : {},
      });
      expect(await tags.json()).toEqual({ name: repository, tags: ['1'] });
      if (locked) expect((await fetch(`http://${registry.host}/v2/${repository}/tags/list`)).status).toBe(401);
    } finally {
      await registry.close();
      await removeImages(shop);
    }
  }
});

test('compose brings up a project in the shared engine, and takes it down', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-compose-'));
  const file = join(folder, 'compose.yaml');
  const image = await imageOf({ repository, version: '7' });
  writeFileSync(file, `services: { web: { image: "${image}" } }\n`);
  const run = { project: repository, file };
  expect(await compose(run, 'up', '--detach', '--wait')).toMatchObject({ code: 0 });
  const [web] = (await compose(run, 'ps', '--format', 'json')).stdout.trim().split('\n');
  expect(JSON.parse(web!)).toMatchObject({ Service: 'web', Health: 'healthy' });
  expect(await compose(run, 'down', '--timeout', '5')).toMatchObject({ code: 0 });
  expect((await compose(run, 'ps', '--all', '--quiet')).stdout).toBe('');
  rmSync(folder, { recursive: true });
});

const authorization = {
  authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`,
};

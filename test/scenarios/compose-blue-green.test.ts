import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCaddy, startCaddy } from '../support/caddy.ts';
import { caddyfileFor } from '../support/compose-caddyfile.ts';
import { settingsOf } from '../support/compose-settings.ts';
import { type ComposeStage, openStage } from '../support/compose-stage.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';

const example = join(import.meta.dirname, '../../examples/compose-blue-green');
const files = ['docker-compose.blue.yml', 'docker-compose.green.yml'];
let registry: RunningRegistry;
let stage: ComposeStage;
let caddy: RunningCaddy | undefined;

beforeAll(async () => {
  registry = await startRegistry();
  const ports = [4101, 4102, 8000, 2019];
  stage = await openStage({ from: example, registry, environment: 'production', ports });
  await stage.release('1');
  await stage.release('2');
  await stage.release('3-broken', { broken: 'pages' });
  await stage.release('7', { of: '-cache' });
  for (const file of files)
    stage.change(file, (text) => text.replace('redis:7', `${registry.host}/${stage.name}-cache:7`));
});
afterAll(async () => {
  await caddy?.kill();
  await stage?.close();
  await registry.close();
});

test("the example's Caddyfile is the one that its environment needs", () => {
  const text = (file: string) => readFileSync(join(example, file), 'utf8');
  expect(text('Caddyfile')).toBe(caddyfileFor(text('environments.yaml')));
});

test('two projects, as the README says: a second release, a bad one without traffic, and back to just what was', async () => {
  const began = Date.now();
  caddy = await startCaddy({ caddyfile: stage.read('Caddyfile'), folder: stage.folder });
  await stage.work();
  expect(await stage.deploy('1')).toContain(`${stage.name} 1 is live`);
  const first = await stage.containers();
  expect(first).toMatchObject({ server: [{}], cache: [{}] });

  const load = new ShopLoad(`http://127.0.0.1:${stage.port[8000]}`);
  expect(await stage.deploy('2')).toContain(`${stage.name} 2 is live`);
  const second = await stage.containers();
  expect(second).toMatchObject({ server: [{}], cache: [{ Id: first.cache![0]!.Id }, {}] });

  // Whoever prepares release 3 gives blue another setting, which is none of release 1's.
  stage.change(files[0]!, (text) => text.replace('environment: {', 'environment: { NEW_IN: "3",'));
  const bad = await stage.run('deploy', '--version', '3-broken');
  expect(bad.stdout + bad.stderr).toContain('rollout.smoke failed');
  expect(bad.code).not.toBe(0);
  expect((await stage.containers()).server).toMatchObject([{ Id: second.server![0]!.Id }]);
  expect(load.versionsSince(0)).toEqual(['1', '2']);

  expect(await stage.said('rollback')).toContain(`${stage.name} is back at 1, from 2`);
  const back = Date.now();
  const again = await stage.containers();
  expect(again).toMatchObject({ server: [{}], cache: [{}, {}] });
  expect(settingsOf(again.server![0]!)).toEqual(settingsOf(first.server![0]!));
  await sleep(500);
  const { sent, lost, perSecond } = await load.stop();
  const seconds = Math.round((Date.now() - began) / 1_000);
  console.info(`blue-green: ${sent} sent (${perSecond}/s), ${lost.length} lost, ${seconds} s`);
  expect(lost).toEqual([]);
  expect(load.versionsSince(back)).toEqual(['1']);
}, 240_000);

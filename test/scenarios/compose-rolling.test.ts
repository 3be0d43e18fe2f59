import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { caddyfileFor } from '../support/compose-caddyfile.ts';
import { openRolling, rollingExample } from '../support/compose-rolling.ts';
import { settingsOf } from '../support/compose-settings.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';

let registry: RunningRegistry;
let stage: Awaited<ReturnType<typeof openRolling>> | undefined;
beforeAll(async () => {
  registry = await startRegistry();
});
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
afterAll(() => registry.close());

test("the example's Caddyfile is the one that its environment needs", () => {
  const text = (file: string) => readFileSync(join(rollingExample, file), 'utf8');
  expect(text('Caddyfile')).toBe(caddyfileFor(text('environments.yaml')));
});

test('a running project, as the README says: server, then client, and back, without a lost request', async () => {
  stage = await openRolling(registry);
  const { name } = stage;
  const began = Date.now();
  await stage.work();
  const before = await stage.containers();
  const loads = { server: new ShopLoad(stage.server), client: new ShopLoad(stage.client) };

  const plan = await stage.said('plan', '--version', '2');
  expect(plan).toContain(`Deploy ${name} 1 → 2`);
  expect(plan.indexOf(`Start ${name} 2 in server-2`)).toBeGreaterThan(0);
  expect(plan.indexOf(`Start ${name} 2 in client-2`)).toBeGreaterThan(plan.indexOf(`Start ${name} 2 in server-2`));
  expect(await stage.deploy('2')).toContain(`${name} 2 is live`);
  const after = await stage.containers();
  expect(after).toMatchObject({ server: [{}], client: [{}], db: [{ Id: before.db![0]!.Id }] });
  for (const service of ['server', 'client']) {
    const [was, is] = [settingsOf(before[service]![0]!), settingsOf(after[service]![0]!)];
    expect(is.image).not.toBe(was.image);
    expect(is.environment).toEqual(expect.arrayContaining(was.environment));
    expect({ ...is, image: null, environment: null, ports: null }).toEqual({
      ...was,
      image: null,
      environment: null,
      ports: null,
    });
  }

  // Settings for a later release are none of release 1's.
  stage.change('compose.yaml', (text) => text.replaceAll('environment:', 'environment:\n      NEW_IN: "3"'));
  expect(await stage.said('rollback')).toContain(`${name} is back at 1, from 2`);
  const at = Date.now();
  await sleep(500);
  const again = await stage.containers();
  expect(again).toMatchObject({ server: [{}], client: [{}], db: [{ Id: before.db![0]!.Id }] });
  for (const service of ['server', 'client']) {
    expect(settingsOf(again[service]![0]!)).toEqual(settingsOf(before[service]![0]!));
  }
  for (const [service, load] of Object.entries(loads)) {
    const { sent, lost, perSecond } = await load.stop();
    const seconds = Math.round((Date.now() - began) / 1_000);
    console.info(`rolling, ${service}: ${sent} sent (${perSecond}/s), ${lost.length} lost, ${seconds} s`);
    expect(lost).toEqual([]);
    expect(load.versionsSince(0)).toEqual(['1', '2']);
    expect(load.versionsSince(at)).toEqual(['1']);
  }
}, 240_000);

test('a service without a proxy has the outage that the plan announces; the other one has none', async () => {
  stage = await openRolling(registry);
  const { name } = stage;
  stage.change('holdpoint.yaml', (text) =>
    text.replace('on: [server, client]', 'on: [server, { target: client, strategy: recreate }]'),
  );
  stage.change('environments.yaml', (text) => text.replace(/( +)traffic:(?=\n(?:(?!traffic:)[\s\S])*$)[\s\S]*$/, ''));
  await stage.work();
  const before = await stage.containers();
  const load = new ShopLoad(stage.server);

  expect(await stage.said('plan', '--version', '2')).toContain(
    `! ${name} on client is down from the stop of 1 until 2 answers`,
  );
  expect(await stage.deploy('2')).toContain(`${name} 2 is live`);
  const { sent, lost } = await load.stop();
  console.info(`server beside a client without a proxy: ${sent} sent, ${lost.length} lost`);
  expect(lost).toEqual([]);
  expect(await stage.containers()).toMatchObject({ server: [{}], client: [{}], db: [{ Id: before.db![0]!.Id }] });
  const answer = await fetch(`http://127.0.0.1:${stage.port[4201]}`);
  expect(answer.headers.get('x-version')).toBe('2');
}, 240_000);

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../../parts/ports.ts';
import { nginxConf } from '../../workflows/runbook/nginx-conf.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';
import { holdpoint } from '../cli/support/cli.ts';
import { type ComposeStage, openStage, shell } from '../support/compose-stage.ts';
import { imageOf } from '../support/images.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';

const guide = readFileSync(join(import.meta.dirname, '../../docs/compose.md'), 'utf8');
let registry: RunningRegistry;
let stage: ComposeStage;
let nginx: RunningNginx | undefined;

/** The project that docs/compose.md begins with, as it runs without Holdpoint. */
beforeAll(async () => {
  registry = await startRegistry();
  const instead: [string, string][] = [['curl, -f, "http://localhost:8080/healthz"', '"true"']];
  const files = { 'compose.yaml': /```yaml\n(services:[\s\S]*?)```/.exec(guide)![1]! };
  stage = await openStage({ from: files, registry, environment: 'local', ports: [4001], instead });
  const db = await imageOf({ repository: `${stage.name}-db`, version: '16' });
  stage.change('compose.yaml', (text) => text.replace('postgres:16', db));
  for (const version of ['1', '2']) await stage.release(version);
  await stage.up('compose.yaml');
});
afterAll(async () => {
  await nginx?.kill();
  await stage?.close();
  await registry.close();
});

/** The people's own nginx, with a site of their own. */
function ownConfiguration(address: string, server: string): string {
  const site = `server { listen ${address}; location / { proxy_pass http://${server}; } }`;
  return `events {}\nhttp {\naccess_log off;\ninclude ${stage.folder}/nginx/conf.d/*.conf;\n${site}\n}\n`;
}

/** As somebody who may not write to /var/lib, and whose ports 8080 and 4002 are taken. Gives the address of the new front door. */
async function moveFrontDoor(): Promise<string> {
  const [front, green] = [`127.0.0.1:${await freePort()}`, await freePort()];
  const was = asDescribed();
  expect(stage.read('holdpoint.nginx.conf')).toBe(nginxConf(was));
  stage.change('environments.yaml', (text) =>
    stage
      .below(text)
      .replaceAll(new URL(was.front).host, front)
      .replace(/green: \d+/, `green: ${green}`),
  );
  stage.change('holdpoint.nginx.conf', () => nginxConf(asDescribed()));
  return front;
}
function asDescribed() {
  const { ports, traffic } = parse(stage.read('environments.yaml')).environments.local.targets.server;
  return { sticky: undefined, ...traffic.nginx, upstreams: upstreamsAt('127.0.0.1', ports) };
}

test('a project that has never seen Holdpoint: init, plan, deploy, and no request is lost', async () => {
  const began = Date.now();
  const address = `127.0.0.1:${await freePort()}`;
  const server = `127.0.0.1:${stage.port[4001]}`;
  const folder = join(stage.folder, 'nginx');
  mkdirSync(join(folder, 'conf.d'), { recursive: true });
  nginx = await startNginx({ configuration: ownConfiguration(address, server), folder });
  const before = await stage.containers();

  const init = await holdpoint(['init', '-f', stage.file('holdpoint.yaml'), '--proxy', 'nginx']);
  expect(init).toMatchObject({ code: 0 });
  const steps = init.stdout.split('\n').flatMap((line) => /^ +((?:sudo|mkdir) .*)/.exec(line)?.[1] ?? []);
  const commands = steps.map((step) => step.replace(/ {2}.*/, ''));
  expect(commands).toHaveLength(4);
  for (const command of commands) expect(guide).toContain(command.replaceAll(stage.name, 'shop'));

  const front = await moveFrontDoor();
  for (const command of commands.slice(0, 2)) await shell(stage.below(command).replace('sudo ', ''));
  writeFileSync(join(folder, 'conf.d', 'holdpoint.conf'), stage.read('holdpoint.nginx.conf'));
  await nginx.reload(ownConfiguration(address, front));
  await stage.work();
  expect(await stage.said('doctor')).toContain('local is reached');

  const load = new ShopLoad(`http://${address}`);
  const plan = await stage.said('plan', '--version', '2');
  expect(plan).toContain(`Deploy ${stage.name} 1 → 2`);
  expect(plan).toContain(`Start ${stage.name} 2 in green`);
  expect(await stage.deploy('2')).toContain(`${stage.name} 2 is live`);
  const { sent, lost, perSecond } = await load.stop();
  const seconds = Math.round((Date.now() - began) / 1_000);
  console.info(`first deploy: ${sent} sent (${perSecond}/s), ${lost.length} lost, ${seconds} s`);
  expect(lost).toEqual([]);
  expect(load.versionsSince(0)).toEqual(['1', '2']);
  expect(await stage.containers()).toMatchObject({ server: [{}], db: [{ Id: before.db![0]!.Id }] });
  expect((await fetch(`http://${address}`)).headers.get('x-version')).toBe('2');
}, 240_000);

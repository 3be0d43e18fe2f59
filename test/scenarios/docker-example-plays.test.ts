import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../../parts/ports.ts';
import { type NginxInput, nginxConf } from '../../workflows/runbook/nginx-conf.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';
import { type Ended, holdpoint } from '../cli/support/cli.ts';
import { engine } from '../support/docker-engine.ts';
import { done, removeImages } from '../support/images.ts';
import { Load } from '../support/load.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const example = join(import.meta.dirname, '../../examples/docker-nginx');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-example-')));
const service = `shop-${randomUUID().slice(0, 8)}`;
const taskQueue = `example-${randomUUID()}`;
const file = (name: string) => join(folder, 'example', name);
let registry: RunningRegistry;
let nginx: RunningNginx;
let worker: WorkerProcess;
let url: string;

beforeAll(async () => {
  registry = await startRegistry();
  await copyExample();
});
afterAll(async () => {
  await worker?.stop();
  await nginx?.kill();
  await removeImages(`${registry.host}/shop`);
  await registry.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** As somebody does who has other names, ports and folders. */
async function copyExample(): Promise<void> {
  const ports = { '8080': await freePort(), '4001': await freePort(), '4002': await freePort() };
  url = `http://127.0.0.1:${ports['8080']}`;
  const own: [RegExp, string][] = [
    [/registry\.example\.com/g, registry.host],
    [/^service: shop$/m, `service: ${service}`],
    [/node:22-slim/, inject('baseImage')],
    [/\/var\/lib\/holdpoint/g, join(folder, 'state')],
    [/\/var\/log\/nginx/g, folder],
  ];
  cpSync(example, file(''), { recursive: true });
  for (const name of ['holdpoint.yaml', 'environments.yaml', 'Dockerfile', 'shop.conf']) {
    let text = readFileSync(file(name), 'utf8');
    for (const [theirs, mine] of own) text = text.replace(theirs, mine);
    if (name === 'environments.yaml')
      text = text.replace(/\b(8080|4001|4002)\b/g, (port) => `${ports[port as keyof typeof ports]}`);
    writeFileSync(file(name), name === 'shop.conf' ? nginxConf(asDescribed(file('environments.yaml'))) : text);
  }
}

function asDescribed(path: string): NginxInput {
  const { ports, traffic } = parse(readFileSync(path, 'utf8')).environments.local.targets.web;
  return { ...traffic.nginx, upstreams: upstreamsAt('127.0.0.1', ports) };
}

const run = (...argv: string[]): Promise<Ended> =>
  holdpoint([argv[0]!, '-f', file('holdpoint.yaml'), ...argv.slice(1)], {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    HOLDPOINT_TASK_QUEUE: taskQueue,
  });

/** Its output, once it has succeeded. */
async function said(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...argv);
  expect(code, `holdpoint ${argv.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** Deploys in one terminal, and approves in another whenever it asks. */
async function deploy(version: string): Promise<Ended> {
  let going = true;
  const running = run('deploy', '--version', version).finally(() => {
    going = false;
  });
  for (; going; await sleep(200)) {
    const { code, stdout } = await run('status', '--json');
    const status: RunStatus | null = code === 0 ? JSON.parse(stdout) : null;
    if (status?.release === version && status.hold) await run('approve');
  }
  return await running;
}

async function workerIsThere(): Promise<void> {
  while ((await run('plan', '--version', '1')).stderr.includes('No worker polls')) await sleep(200);
}

const served = async () => (await fetch(url)).headers.get('x-version');

test("the example's nginx block is the one that its environment needs", () => {
  expect(readFileSync(join(example, 'shop.conf'), 'utf8')).toBe(
    nginxConf(asDescribed(join(example, 'environments.yaml'))),
  );
  expect(readdirSync(example)).toContain('README.md');
});

test('its README, step by step: build, push, nginx, first release, second, a bad one, and back', async () => {
  for (const version of ['1', '2', '3-broken']) {
    const t = `${registry.host}/shop:${version}`;
    await done(await engine().buildImage({ context: file(''), src: ['.'] }, { t, buildargs: { VERSION: version } }));
    await registry.push(t);
  }
  const configuration = `events {}\nhttp {\n${readFileSync(file('shop.conf'), 'utf8')}}\n`;
  nginx = await startNginx({ configuration, folder });
  const environments = file('environments.yaml');
  worker = new WorkerProcess({
    address: inject('temporalAddress'),
    taskQueue,
    environments,
    journal: join(folder, 'crashes'),
    env: { DOCKER_HOST: inject('dockerHost') },
  });

  await workerIsThere();
  expect(await said('plan', '--version', '1')).toContain(`Start ${service} 1 in blue`);
  expect(await deploy('1')).toMatchObject({ code: 0, stdout: expect.stringContaining(`${service} 1 is live`) });
  expect(await served()).toBe('1');

  const load = new Load(url);
  expect(await deploy('2')).toMatchObject({ code: 0, stdout: expect.stringContaining(`${service} 2 is live`) });
  expect(load.lost).toEqual([]);
  expect(load.versions).toEqual(['1', '2']);

  const bad = await deploy('3-broken');
  expect(bad.code, bad.stdout).not.toBe(0);
  expect(bad.stdout + bad.stderr).toContain('rollout.bake-10 failed');
  expect(await said('report')).toContain('rolled back');
  expect(await served()).toBe('2');

  expect(await said('rollback')).toContain(`${service} is back at 1, from 2`);
  await load.stop();
  console.info(`example: ${load.answers.length} sent, ${load.lost.length} lost to the bad release`);
  expect(load.lost.every(({ status, version }) => status === 500 && version === '3-broken')).toBe(true);
  expect(await served()).toBe('1');
}, 240_000);

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { stringify } from 'yaml';
import type { Check } from '../../cli/render/checks.ts';
import { freePort } from '../../parts/ports.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { holdpoint } from './support/cli.ts';
import { minimalRunbook } from './support/stage.ts';

/** A worker that has real proxies to ask, and an nginx that knows nothing of Holdpoint. */
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-doctor-')));
const taskQueue = `doctor-${randomUUID()}`;
const file = join(folder, 'holdpoint.yaml');
const environments = join(folder, 'environments.yaml');
let nginx: RunningNginx;
let worker: WorkerProcess;

const serverOnly = (port: number) => `server { listen 127.0.0.1:${port}; location / { return 200 "mine"; } }`;
const configuration = (http: string) => `events {}\nhttp {\n${http}\n}\n`;
const doctor = async (environment: string) => {
  const env = { TEMPORAL_ADDRESS: inject('temporalAddress'), HOLDPOINT_TASK_QUEUE: taskQueue };
  const args = ['doctor', '-f', file, '-e', environment, '--environments', environments];
  const asText = () => holdpoint(args, env);
  const { code, stdout } = await holdpoint([...args, '--json'], env);
  return { code, asText, lines: JSON.parse(stdout) as Check[] };
};
const named = (lines: Check[], wanted: string) => lines.find(({ name }) => name === wanted);

beforeAll(async () => {
  mkdirSync(join(folder, 'releases', '1'), { recursive: true });
  writeFileSync(join(folder, 'releases', '1', 'server.js'), '');
  writeFileSync(file, minimalRunbook('shop'));
  const [port, blue, green] = [await freePort(), await freePort(), await freePort()];
  nginx = await startNginx({ configuration: configuration(serverOnly(port)), folder });
  const places = {
    front: `http://127.0.0.1:${port}`,
    log: join(folder, 'access.log'),
    folder: join(folder, 'buckets'),
  };
  const at = { folder: join(folder, 'state'), ports: { blue, green } };
  const docker = { engine: `unix://${join(folder, 'none.sock')}` };
  const written = {
    local: { targets: { web: { ...at, traffic: { nginx: places } } } },
    engineless: { targets: { web: { ...at, instances: { docker }, traffic: { nginx: places } } } },
  };
  writeFileSync(environments, stringify({ environments: written }));
  const address = inject('temporalAddress');
  worker = new WorkerProcess({ address, taskQueue, environments, journal: join(folder, 'journal') });
  while (named((await doctor('local')).lines, 'workers')?.state !== 'ok');
});
afterAll(async () => {
  await worker?.stop();
  await nginx?.stop();
  rmSync(folder, { recursive: true });
});

test('the doctor prints what the proxy lacks, and is content once just that is in its configuration', async () => {
  const before = await doctor('local');
  expect(before.code).toBe(1);
  const lack = named(before.lines, 'proxy')!;
  expect(lack).toMatchObject({ state: 'fail', found: expect.stringContaining("no configuration of Holdpoint's") });
  // As it is, so that it can be copied from the terminal too.
  expect((await before.asText()).stdout).toContain(lack.paste!.trimEnd());
  await nginx.reload(configuration(lack.paste!));
  const after = await doctor('local');
  expect(after.code).toBe(0);
  expect((await after.asText()).stdout).toMatch(
    /✓ ok\s+targets\s+web: process, behind nginx at http:\/\/127\.0\.0\.1:\d+/,
  );
});

test('an engine that does not answer is said at once, with where it was looked for', async () => {
  const { code, lines } = await doctor('engineless');
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatchObject({ name: 'targets', state: 'fail', found: expect.stringContaining('none.sock') });
});

test('an environment that the worker does not know is named, with those that it knows', async () => {
  const { lines } = await doctor('elsewhere');
  expect(lines.at(-1)).toMatchObject({ name: 'environments', state: 'fail', found: expect.stringContaining('local') });
});

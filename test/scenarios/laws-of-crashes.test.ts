import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { findPart } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { type DevServer, startDevServer } from '../../parts/temporal-server.ts';
import { searchAttributeNames } from '../../workflows/messages.ts';
import { Load } from '../support/load.ts';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

let site: Site;
afterEach(() => site.close());

const hold = { ask: 'Confirm?' };

test('law 4: a step that dies half way is looked at again, not done again', async () => {
  site = await Site.open([{ version: '1' }]);
  const worker = site.work();
  const client = await clientOf(site);
  const log = join(site.folder, 'line.log');
  const line = ['sh', '-c', 'echo begun >> "$0"; sleep 4; echo ended >> "$0"', log];
  const run = await client.deploy('1', {
    prepare: { artifact: { folder: 'releases/{version}' }, after: [{ run: line }] },
  });
  await run.until(({ steps }) => steps.some(({ id, state }) => id === 'prepare.run' && state === 'running'));
  await sleep(1_500);
  worker.kill();
  const status = await run.end();
  expect(status.outcome).toBe('succeeded');
  expect(status.steps.find(({ id }) => id === 'prepare.run')?.evidence).toMatchObject({ attached: true });
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(log, 'utf8')).toBe('begun\nended\n');
  await client.close();
});

test('law 5: the undo is registered before the step runs: a step that failed half way is taken back', async () => {
  site = await Site.open([{ version: '1' }]);
  site.work();
  const client = await clientOf(site);
  const log = join(site.folder, 'half.log');
  const half = { run: ['sh', '-c', 'echo half >> "$0"; exit 1', log], undo: ['sh', '-c', 'echo undone >> "$0"', log] };
  const run = await client.deploy('1', { rollout: { before: [half] } });
  const status = await run.end();
  expect(status.outcome).toBe('rolled back');
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(log, 'utf8')).toBe('half\nundone\n');
  await client.close();
});

test('law 6: a zombie of an older deploy changes nothing at a target that a newer one has taken', async () => {
  site = await Site.open([{ version: '1' }, { version: '2' }]);
  const zombie = site.work({ when: 'hang:startInstance' });
  const client = await clientOf(site);
  const old = await client.deploy('1');
  while (zombie.crashes.length === 0) await sleep(100);
  await old.handle.terminate('taken by a person');

  // Its task queue is its own, so that the zombie gets none of the new deploy's work.
  const { taskQueue } = site;
  Object.assign(site, { taskQueue: `${taskQueue}-new` });
  site.work();
  const next = await client.deploy('2', { verify: { hold } });
  await next.asks('verify.hold');
  zombie.letGo();
  await sleep(1_500);
  expect(site.startedVersions).toEqual(['2']);
  await next.answer('approve');
  expect((await next.end()).outcome).toBe('succeeded');
  await client.close();
});

test('the Temporal server, killed with SIGKILL and started again in the middle: the deploy ends as it would have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-own-temporal-'));
  const { path: bin } = await findPart('temporal');
  const port = await freePort();
  const start = () => startDevServer({ folder, port, uiPort: null, bin, searchAttributes: searchAttributeNames });
  let server: DevServer = await start();
  site = await Site.open([{ version: '1' }, { version: '2' }]);
  site.temporalAddress = server.address;
  site.work();
  const client = await clientOf(site);
  expect((await (await client.deploy('1')).end()).outcome).toBe('succeeded');

  const load = new Load(site.url);
  const run = await client.deploy('2', { verify: { watch: { for: '4s', errors: '< 1%', samples: 20 }, hold } });
  for (let kills = 0; kills < 3; kills += 1) {
    await sleep(1_500);
    process.kill(server.pid, 'SIGKILL');
    server = await start();
  }
  await run.answer('approve');
  const status = await run.end();
  await load.stop();
  expect(status).toMatchObject({ outcome: 'succeeded', release: '2' });
  expect(site.startedVersions).toEqual(['1', '2']);
  expect(load.lost).toEqual([]);
  await client.close();
  await site.workers[0]?.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 120_000);

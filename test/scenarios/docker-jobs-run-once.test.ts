import { setTimeout as sleep } from 'node:timers/promises';
import { resolveBinary } from 'dbmate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Forwarder, forContainers } from '../support/database-for-containers.ts';
import { DockerSite } from '../support/docker-site.ts';
import type { RunningDeploy } from '../support/running-deploy.ts';
import { migrations, openShopDatabase, type ShopDatabase } from '../support/shop-database.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

let database: ShopDatabase;
let reachable: Forwarder;
let site: DockerSite;
let worker: WorkerProcess;
beforeEach(async () => {
  database = await openShopDatabase();
  const programs = [resolveBinary()];
  const files = { 'db/migrations/1_orders.sql': migrations['1_orders.sql'] };
  const more = { ...files, 'db/migrations/2_note.sql': migrations['2_note.sql'] };
  site = await DockerSite.open({
    releases: [
      { version: '1', programs, files },
      { version: '2', programs, files: more },
      { version: '3', programs, files: more, broken: 'exits' },
    ],
  });
  await site.live('1');
  const { Gateway } = (await site.container(`${site.service}-blue`))!.NetworkSettings.Networks.bridge!;
  reachable = await forContainers(database.url, Gateway);
  site.secret('DATABASE_URL', reachable.url);
  worker = site.work();
});
afterEach(async () => {
  await site.close();
  await reachable.close();
  await database.drop();
});

const prepare = { secrets: ['DATABASE_URL'] };
const migrate = { tool: 'dbmate' };
const columns = async () => {
  const rows = await database.query(`SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'`);
  return rows.map(({ column_name }) => column_name);
};
/** How often the second migration has begun: a sequence is not rolled back. */
const runs = async () => {
  const [row] = await database.query('SELECT last_value, is_called FROM migration_runs');
  return row?.is_called ? Number(row.last_value) : 0;
};
const jobs = async () => (await site.containers()).filter(({ Labels }) => Labels['holdpoint.job']);

/** Throws what the run says where it ends before. */
async function until(run: RunningDeploy, isSo: () => Promise<boolean>): Promise<void> {
  for (; !(await isSo()); await sleep(50)) {
    const { outcome, sentence } = await run.status();
    if (outcome) throw new Error(sentence);
  }
}

describe('in a container of the new release', { timeout: 180_000 }, () => {
  test('migrations run once although the worker is killed in the middle of them', async () => {
    const run = await site.deploy('2', { prepare, migrate });
    await until(run, async () => (await runs()) > 0);
    worker.kill();
    const status = await run.end();
    expect(status, status.sentence).toMatchObject({ outcome: 'succeeded', release: '2' });
    expect(status.steps.find(({ id }) => id === 'migrate.up')?.evidence).toMatchObject({ attached: true, applied: 1 });
    expect(await runs()).toBe(1);
    expect(await columns()).toContain('note');
    expect(await jobs()).toEqual([]);
  });

  test('a `run` line runs once, with its secrets, although the worker is killed in the middle of it', async () => {
    site.secret('GREETING', 'hello');
    const starts = await site.followStarts();
    const command = ['bash', '-c', 'sleep 4; echo "$HOSTNAME says something of ${#GREETING} letters in $(ls)"'];
    const line = { run: command, name: 'greet' };
    const run = await site.deploy('2', { prepare: { secrets: ['GREETING'], after: [line] } });
    await until(run, async () => (await jobs()).some(({ State }) => State === 'running'));
    const [job] = await jobs();
    worker.kill();
    const status = await run.end();
    expect(status, status.sentence).toMatchObject({ outcome: 'succeeded', release: '2' });
    const evidence = status.steps.find(({ id }) => id === 'prepare.greet')?.evidence;
    expect(evidence).toMatchObject({ attached: true, exitCode: 0 });
    expect(evidence?.output).toMatch(
      new RegExp(`^${job!.Id.slice(0, 12)} says something of 5 letters in .*server.mjs`, 's'),
    );
    expect(await jobs()).toEqual([]);
    starts.end();
    expect(starts.names.filter((name) => name.includes('-job-'))).toHaveLength(1);
  });

  test('migrations are taken back when the release then fails before it had traffic', async () => {
    const rollback = { down: 'migrations' };
    const status = await (await site.deploy('3', { prepare, migrate, rollback })).end();
    expect(status, status.sentence).toMatchObject({ outcome: 'rolled back', release: '3' });
    expect(status.steps.find(({ id }) => id === 'migrate.up')).toMatchObject({ state: 'undone' });
    expect(await columns()).not.toContain('note');
    expect(await jobs()).toEqual([]);
  });
});

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Load } from '../support/load.ts';
import { clientOf } from '../support/real-deploy.ts';
import { migrations, openShopDatabase, type ShopDatabase, withDatabase } from '../support/shop-database.ts';
import { Site } from '../support/site.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

let site: Site;
let database: ShopDatabase;
let worker: WorkerProcess;
let client: Awaited<ReturnType<typeof clientOf>>;
beforeEach(async () => {
  database = await openShopDatabase();
  site = await Site.open([
    { version: '1', migrations: { '1_orders.sql': migrations['1_orders.sql'] } },
    { version: '2', migrations },
    { version: '3', migrations, broken: 'pages' },
  ]);
  site.secret('DATABASE_URL', database.url);
  worker = site.work();
  client = await clientOf(site);
});
afterEach(async () => {
  await client.close();
  await site.close();
  await database.drop();
});

const columns = async () => {
  const rows = await database.query(`SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'`);
  return rows.map(({ column_name }) => column_name);
};
const runs = async () => {
  const [row] = await database.query('SELECT last_value, is_called FROM migration_runs');
  return row?.is_called ? Number(row.last_value) : 0;
};

describe('law 7: nothing destructive happens to a database while old code can come back', () => {
  test('migrations go down while the new version has had no traffic, after it is gone', async () => {
    expect((await (await client.deploy('1', withDatabase)).end()).outcome).toBe('succeeded');
    const run = await client.deploy('3', {
      ...withDatabase,
      verify: { smoke: ['GET /'] },
      rollback: { down: 'migrations' },
    });
    const status = await run.end();
    expect(status.outcome).toBe('rolled back');
    expect(status.steps.find(({ id }) => id === 'migrate.up')?.state).toBe('undone');
    expect(await columns()).toEqual(['id', 'sku']);
  });

  test('they stay once it has had traffic: what it wrote is not dropped', async () => {
    expect((await (await client.deploy('1', withDatabase)).end()).outcome).toBe('succeeded');
    const load = new Load(site.url);
    const run = await client.deploy('3', {
      ...withDatabase,
      verify: { watch: { for: '20s', errors: '< 5%', samples: 30 } },
      rollback: { down: 'migrations' },
    });
    const status = await run.end();
    await load.stop();
    expect(status.outcome).toBe('rolled back');
    expect(status.steps.find(({ id }) => id === 'migrate.up')).toMatchObject({ state: 'left' });
    expect(await columns()).toContain('note');
  });
});

describe('law 8: only a verified backup is called a backup', () => {
  test('it is restored into a scratch database and compared, which leaves nothing behind', async () => {
    const status = await (await client.deploy('1', withDatabase)).end();
    const { evidence } = status.steps.find(({ id }) => id === 'backup.postgres')!;
    expect(evidence).toMatchObject({ rows: 1001, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(existsSync(String(evidence?.file))).toBe(true);
    expect(await database.scratches()).toEqual([]);
  });

  test('one that cannot be restored stops the deploy before anything is touched', async () => {
    // Restoring calls a function that refuses: the dump is whole, and yet no backup.
    await database.query(
      `CREATE FUNCTION refuse(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
         $$ BEGIN IF current_database() LIKE 'holdpoint_scratch_%' THEN RAISE 'not here'; END IF; RETURN true; END $$;
       ALTER TABLE orders ADD CHECK (refuse(sku))`,
    );
    const status = await (await client.deploy('2', withDatabase)).end();
    expect(status).toMatchObject({ outcome: 'failed', changed: false });
    expect(status.sentence).toContain('backup.postgres failed');
    expect(site.startedVersions).toEqual([]);
    expect(await runs()).toBe(0);
  });
});

describe('a migration', () => {
  test('survives SIGKILL of the worker in the middle of it, and runs once', async () => {
    const run = await client.deploy('2', withDatabase);
    while ((await runs()) === 0) await sleep(50);
    worker.kill();
    const status = await run.end();
    expect(status.outcome).toBe('succeeded');
    expect(status.steps.find(({ id }) => id === 'migrate.up')?.evidence).toMatchObject({ attached: true });
    expect(await runs()).toBe(1);
    expect(await columns()).toContain('note');
  });

  test('of a database that is away is tried again, visibly, until it is back', async () => {
    const [{ pid } = {}] = await database.query('SELECT pg_backend_pid() AS pid');
    expect(pid).toBeGreaterThan(0);
    site.secret('DATABASE_URL', database.url.replace(/:\d+\//, ':1/'));
    const run = await client.deploy('2', withDatabase);
    await run.until(({ state }) => state === 'planning');
    let reason = '';
    while (!reason) {
      const { raw } = await run.handle.describe();
      reason = raw.pendingActivities?.[0]?.lastFailure?.message ?? '';
      await sleep(100);
    }
    expect(reason).toContain('does not answer');
    site.secret('DATABASE_URL', database.url);
    expect((await run.end()).outcome).toBe('succeeded');
  });
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findMigrationsTool } from '../../../activities/migrations/index.ts';
import { migrateDown, migrateUp } from '../../../activities/migrations/migrate.ts';
import { createMask } from '../../../activities/secrets/mask.ts';
import type { MigrationTool } from '../../../workflows/runbook/actions.ts';
import { type Cluster, createDatabase, query, startPostgres } from '../../support/postgres.ts';
import { depsFor, makeRelease, type ReleaseFolder } from './release.ts';

let cluster: Cluster;
let release: ReleaseFolder;
let url: string;
let count = 0;
beforeAll(async () => {
  cluster = await startPostgres();
});
afterAll(() => cluster?.stop());
beforeEach(async () => {
  release = await makeRelease();
  // dbmate's driver insists on TLS unless told otherwise.
  url = `${await createDatabase(cluster, `shop_${++count}`)}?sslmode=disable`;
});
afterEach(() => release.remove());

const never = new AbortController().signal;
const writer = (step: string) => ({ fence: 1, deploy: 'deploy/test/shop', key: `deploy/test/shop|sha256:0|${step}|1` });

interface Options {
  tool?: MigrationTool;
  mask?: (text: string) => string;
  signal?: AbortSignal;
}
function up(pending: string[], { tool = release.tool, mask, signal = never }: Options = {}) {
  const input = { tool, pending, url, env: {}, writer: writer('migrate.up'), signal };
  return migrateUp(depsFor(release.markers, mask), input);
}
function down(to: string[], { tool = release.tool }: Options = {}) {
  const input = { tool, to, url, env: {}, writer: writer('migrate.up.undo'), signal: never };
  return migrateDown(depsFor(release.markers), input);
}
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it passed'),
    (error) => error,
  );
const state = () => findMigrationsTool('dbmate').observe(depsFor('').host, release.tool, url, {});

async function threeMigrations(): Promise<string[]> {
  for (const n of [1, 2, 3]) await release.migration(`00${n}_t`, `CREATE TABLE t${n} ();`, `DROP TABLE t${n};`);
  return ['001_t', '002_t', '003_t'];
}

/** A migration that takes a while and cannot be repeated unnoticed. */
async function slowMigration(seconds: number, options = ''): Promise<void> {
  await query(url, 'CREATE TABLE ran (at timestamptz DEFAULT clock_timestamp())');
  await release.migration(
    '001_slow',
    `INSERT INTO ran SELECT now() FROM pg_sleep(${seconds});`,
    'DELETE FROM ran;',
    options,
  );
}
const timesRan = async () => Number((await query(url, 'SELECT count(*) FROM ran'))[0]!.count);

async function untilAtWork(sql = 'INSERT INTO ran'): Promise<void> {
  const busy = `SELECT FROM pg_stat_activity WHERE query LIKE '%${sql}%' AND state = 'active' AND application_name LIKE 'holdpoint:%'`;
  while ((await query(url, busy)).length === 0) await sleep(20);
}

async function killedWorker(pending: string[], sql?: string): Promise<void> {
  const input = { markers: release.markers, tool: release.tool, pending, url, env: {}, writer: writer('migrate.up') };
  const worker = fork(new URL('./migrate-once.ts', import.meta.url), [JSON.stringify(input)], {
    execArgv: ['--import', 'tsx'],
  });
  await untilAtWork(sql);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

/** Kills the tool together with whoever would have noted how it ended. */
async function killJob(): Promise<void> {
  const jobs = join(release.markers, 'jobs');
  for (const job of await readdir(jobs)) {
    const [, pid] = (await readFile(join(jobs, job, 'claim'), 'utf8')).split('\n');
    process.kill(-Number(pid), 'SIGKILL');
  }
}

describe('looking at the migrations', () => {
  test('changes nothing, not even a history table', async () => {
    const all = await threeMigrations();
    expect(await state()).toEqual({ applied: [], pending: all, reversible: true });
    expect(await query(url, `SELECT FROM pg_class WHERE relname = 'schema_migrations'`)).toEqual([]);
  });

  test('tells a pending migration without a way down', async () => {
    await threeMigrations();
    await release.migration('004_one_way', 'CREATE TABLE t4 ();', '-- cannot be taken back\n/* no */');
    expect((await state()).reversible).toBe(false);
  });
});

describe('migrating up', () => {
  test('applies what was planned, with a name and a lock timeout on its session', async () => {
    const all = await threeMigrations();
    const seen = `CREATE TABLE seen AS SELECT current_setting('application_name') AS name, current_setting('lock_timeout') AS lock;`;
    await release.migration('004_seen', seen, 'DROP TABLE seen;');
    const evidence = await up([...all, '004_seen']);
    expect(evidence).toMatchObject({ tool: 'dbmate', applied: 4, revision: '004_seen', attached: false });
    const [row] = await query(url, 'SELECT * FROM seen');
    expect(row).toMatchObject({ name: expect.stringMatching(/^holdpoint:[0-9a-f]{12}:[0-9a-f]{12}$/), lock: '5s' });
    expect(await readdir(join(release.folder, 'db'))).toEqual(['migrations']);
  });

  test('again does nothing', async () => {
    const all = await threeMigrations();
    await up(all);
    expect(await up(all)).toMatchObject({ applied: 3, revision: '003_t' });
    expect(await up([])).toMatchObject({ applied: 0, revision: '003_t' });
  });

  test('is refused when other migrations are pending than were planned', async () => {
    await threeMigrations();
    const failure = await failureOf(up(['001_t', '002_t']));
    expect(failure).toMatchObject({ type: 'DatabaseMoved', nonRetryable: true });
    expect(failure.message).toContain('003_t');
    expect((await state()).applied).toEqual([]);
  });

  test('in two overlapping attempts runs the tool once', async () => {
    await slowMigration(1);
    const first = up(['001_slow']);
    await untilAtWork();
    const [one, other] = await Promise.all([first, up(['001_slow'])]);
    expect([one.attached, other.attached]).toEqual([false, true]);
    expect(other.applied).toBe(1);
    expect(await timesRan()).toBe(1);
  });

  test('goes on when the worker is killed, and the retry waits for the same run', async () => {
    await slowMigration(2);
    await killedWorker(['001_slow']);
    expect(await up(['001_slow'])).toMatchObject({ applied: 1, attached: true });
    expect(await timesRan()).toBe(1);
  });

  test.each(['', 'transaction:false'])(
    'killed for good (%s) ends what the server still does, and runs again',
    async (options) => {
      await slowMigration(2, options);
      await killedWorker(['001_slow']);
      await killJob();
      expect(await up(['001_slow'])).toMatchObject({ applied: 1, revision: '001_slow' });
      await sleep(2_500); // an orphan would have committed by now
      expect(await timesRan()).toBe(1);
    },
  );

  test('that was killed amid a concurrent index says so instead of keeping a broken index', async () => {
    await query(url, 'CREATE TABLE items (id int)');
    const index = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS items_id ON items (id);';
    await release.migration('001_index', index, 'DROP INDEX items_id;', 'transaction:false');
    const blocker = new pg.Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('BEGIN; INSERT INTO items VALUES (1)');
    await killedWorker(['001_index'], 'CREATE INDEX');
    await killJob();
    const failure = await failureOf(up(['001_index']));
    await blocker.end();
    expect(failure).toMatchObject({ type: 'MigrationIncomplete', nonRetryable: true });
    expect(failure.message).toContain('items_id');
  });

  test('that fails says with what, without its secrets, and is not run again', async () => {
    await query(url, 'CREATE SEQUENCE tries');
    const sql = `SELECT nextval('tries'); DO $$ BEGIN RAISE 'no way, s3cret-value'; END $$;`;
    await release.migration('001_bad', sql, '');
    const mask = createMask();
    mask.add('s3cret-value');
    for (let attempt = 0; attempt < 2; attempt++) {
      const failure = await failureOf(up(['001_bad'], { mask: mask.text }));
      expect(failure).toMatchObject({ type: 'MigrationFailed', nonRetryable: true });
      expect(failure.message).toContain('no way, ***');
    }
    expect(await query(url, 'SELECT last_value FROM tries')).toEqual([{ last_value: '1' }]);
  });

  test('that cannot get its lock gives way, and is tried again', async () => {
    await query(url, 'CREATE TABLE items (id int)');
    await release.migration('001_column', 'ALTER TABLE items ADD COLUMN name text;', '');
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    await reader.query('BEGIN; SELECT * FROM items');
    expect(await failureOf(up(['001_column']))).toMatchObject({ type: 'MigrationBlocked', nonRetryable: false });
    await reader.end();
    expect(await up(['001_column'])).toMatchObject({ applied: 1 });
  });

  test("waits while another deploy's session is at work on the database", async () => {
    const all = await threeMigrations();
    const other = new pg.Client({ connectionString: url, application_name: 'holdpoint:000000000000:000000000000' });
    await other.connect();
    expect(await failureOf(up(all))).toMatchObject({ type: 'DatabaseBusy', nonRetryable: false });
    await other.end();
    expect(await up(all)).toMatchObject({ applied: 3 });
  });

  test('that is cancelled ends the tool and what the server does for it', async () => {
    await slowMigration(60, 'transaction:false');
    const controller = new AbortController();
    const running = failureOf(up(['001_slow'], { signal: controller.signal }));
    await untilAtWork();
    controller.abort(new Error('stopped by a person'));
    expect(await running).toMatchObject({ message: 'stopped by a person' });
    expect(await query(url, `SELECT FROM pg_stat_activity WHERE application_name LIKE 'holdpoint:%'`)).toEqual([]);
  });

  test('of a database that does not answer is tried again', async () => {
    url = 'postgres://app:hunter2@127.0.0.1:1/shop?sslmode=disable';
    const failure = await failureOf(up(['001_t']));
    expect(failure).toMatchObject({ type: 'DatabaseUnreachable', nonRetryable: false });
    expect(failure.message).not.toContain('hunter2');
  });
});

describe('migrating down', () => {
  test('goes exactly to the revisions before the deploy, and again does nothing', async () => {
    const all = await threeMigrations();
    await up(all);
    expect(await down(['001_t'])).toMatchObject({ takenBack: 2, revision: '001_t' });
    expect((await state()).applied).toEqual(['001_t']);
    expect(await down(['001_t'])).toMatchObject({ takenBack: 0, revision: '001_t' });
    expect(await query(url, `SELECT to_regclass('t1')::text AS t1, to_regclass('t2')::text AS t2`)).toEqual([
      { t1: 't1', t2: null },
    ]);
  });

  test('after an up that failed half way takes back the half', async () => {
    const all = await threeMigrations();
    await release.migration('004_bad', 'SELECT nonsense;', '');
    await failureOf(up([...all, '004_bad']));
    expect(await down([])).toMatchObject({ takenBack: 3, revision: null });
  });

  test('ends an up of the same deploy that still runs', async () => {
    await slowMigration(60);
    await killedWorker(['001_slow']);
    expect(await down([])).toMatchObject({ takenBack: 0 });
    expect(await timesRan()).toBe(0);
  });

  test.each([
    ['has no file in this release', async () => rm(join(release.folder, 'db/migrations/003_t.sql'))],
    ['has no way down', async () => release.migration('002_t', '', '-- none')],
  ])('is refused before anything is taken back where a revision %s', async (_, spoil) => {
    const all = await threeMigrations();
    await up(all);
    await spoil();
    const failure = await failureOf(down([]));
    expect(failure).toMatchObject({ type: 'NoWayDown', nonRetryable: true });
    expect(await query(url, 'SELECT FROM schema_migrations')).toHaveLength(3);
  });

  test('is refused where taking the newest back does not lead to the revisions before', async () => {
    const all = await threeMigrations();
    await up(all);
    for (const to of [['000_gone'], ['001_t', '003_t']]) {
      expect(await failureOf(down(to))).toMatchObject({ type: 'DatabaseMoved', nonRetryable: true });
    }
    expect((await state()).applied).toEqual(all);
  });
});

describe("a migration tool of the user's own", () => {
  /** Keeps its history in a table, through psql. */
  async function ownTool(downSql: string): Promise<MigrationTool> {
    await query(url, 'CREATE TABLE history (id text)');
    const file = join(release.folder, 'migrate');
    await writeFile(
      file,
      `#!/bin/sh
psql() { '${cluster.bin}/psql' -qAt "$DATABASE_URL" -c "$1"; }
case $1 in
  current) psql 'SELECT id FROM history ORDER BY id' ;;
  pending) psql "SELECT id FROM (VALUES ('a'), ('b')) v (id) WHERE id NOT IN (SELECT id FROM history)" ;;
  up) psql "INSERT INTO history VALUES ('a'), ('b')" && if [ -n "$2" ]; then sleep 300; fi ;;
  down) psql "${downSql}" ;;
  broken) echo 'no such verb' >&2; exit 3 ;;
esac
`,
    );
    await chmod(file, 0o755);
    const verb = (...words: string[]) => [file, ...words];
    const commands = { current: verb('current'), pending: verb('pending'), up: verb('up'), down: verb('down') };
    return { ...release.tool, kind: 'command', commands };
  }
  const newest = 'DELETE FROM history WHERE id = (SELECT max(id) FROM history)';

  test('is asked for its revisions, run once, and taken back one by one', async () => {
    const tool = await ownTool(newest);
    expect(await up(['a', 'b'], { tool })).toMatchObject({ tool: 'command', applied: 2, revision: 'b' });
    expect(await down(['a'], { tool })).toMatchObject({ takenBack: 1, revision: 'a' });
    expect(await query(url, 'SELECT id FROM history')).toEqual([{ id: 'a' }]);
  });

  test('killed after everything was applied is not run again', async () => {
    const tool = await ownTool(newest);
    tool.commands.up!.push('and stay');
    const running = up(['a', 'b'], { tool });
    while ((await query(url, 'SELECT FROM history')).length < 2) await sleep(20);
    await killJob();
    expect(await running).toMatchObject({ applied: 2, revision: 'b' });
    expect(await query(url, 'SELECT id FROM history ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  test('whose way down takes back more than the newest revision is stopped', async () => {
    const tool = await ownTool('DELETE FROM history');
    await up(['a', 'b'], { tool });
    expect(await failureOf(down(['a'], { tool }))).toMatchObject({ type: 'DownWentElsewhere', nonRetryable: true });
  });

  test('that cannot say what is applied is refused with what it said', async () => {
    const tool = await ownTool(newest);
    tool.commands.current = [join(release.folder, 'migrate'), 'broken'];
    const failure = await failureOf(up(['a', 'b'], { tool }));
    expect(failure).toMatchObject({ type: 'MigrationToolFailed', nonRetryable: true });
    expect(failure.message).toContain('no such verb');
  });
});

test('a machine without dbmate is told while planning, before anybody is asked', async () => {
  await threeMigrations();
  await rm(join(release.folder, 'node_modules'), { recursive: true });
  const { host } = depsFor('');
  const failure = await failureOf(findMigrationsTool('dbmate').observe(host, release.tool, url, { PATH: '/nowhere' }));
  expect(failure).toMatchObject({ type: 'PartMissing', message: expect.stringContaining('npm install dbmate') });
});

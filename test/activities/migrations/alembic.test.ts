import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { findMigrationsTool } from '../../../activities/migrations/index.ts';
import { migrateDown, migrateUp } from '../../../activities/migrations/migrate.ts';
import { query } from '../../support/postgres.ts';
import { makeVenv } from '../../support/python.ts';
import { type AlembicRelease, envPy, makeAlembicRelease } from './alembic-release.ts';
import { depsFor } from './release.ts';

const name = `alembic_${randomUUID().slice(0, 8)}`;
let home: string;
let release: AlembicRelease;
let url: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdpoint-test-alembic-'));
  await makeVenv(join(home, 'venv'), ['alembic==1.20.1', 'psycopg[binary]==3.3.9', 'SQLAlchemy==2.1.9']);
});
afterAll(() => rm(home, { recursive: true, force: true }));
beforeEach(async () => {
  release = await makeAlembicRelease(join(home, 'venv'));
  await query(inject('postgresUrl'), `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const there = new URL(inject('postgresUrl'));
  there.pathname = `/${name}`;
  url = there.href;
});
afterEach(async () => {
  await query(inject('postgresUrl'), `DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  await release.remove();
});

const never = new AbortController().signal;
const writer = (step: string) => ({ fence: 1, deploy: 'deploy/test/shop', key: `deploy/test/shop|sha256:0|${step}|1` });
const given = (step: string) => ({ tool: release.tool, url, env: {}, writer: writer(step), signal: never });
const up = (pending: string[]) => migrateUp(depsFor(release.markers), { ...given('migrate.up'), pending });
const down = (to: string[]) => migrateDown(depsFor(release.markers), { ...given('migrate.up.undo'), to });
const state = (env: Record<string, string> = {}) =>
  findMigrationsTool('alembic').observe(depsFor('').host, release.tool, url, env);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it passed'),
    (error) => error,
  );
const create = (table: string) => `op.execute("CREATE TABLE ${table} ()")`;
const drop = (table: string) => `op.execute("DROP TABLE ${table}")`;
const tables = async () =>
  (await query(url, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)).map(
    ({ relname }) => relname,
  );

/** Ids in an order that is not that of their names. */
async function threeRevisions(): Promise<string[]> {
  await release.revision('c1', [], create('t1'), drop('t1'));
  await release.revision('a2', ['c1'], create('t2'), drop('t2'));
  await release.revision('b3', ['a2'], create('t3'), drop('t3'));
  return ['c1', 'a2', 'b3'];
}

// Each look starts Python, which takes its time on a busy machine.
const patience = { timeout: 180_000 };

describe('looking at the revisions', patience, () => {
  test('changes nothing, neither the database nor the release', async () => {
    const all = await threeRevisions();
    const files = await readdir(release.folder, { recursive: true });
    expect(await state()).toEqual({ applied: [], pending: all, reversible: true });
    expect(await tables()).toEqual([]);
    expect(await readdir(release.folder, { recursive: true })).toEqual(files);
  });

  test('does not let env.py write either', async () => {
    await threeRevisions();
    const writes = `    connection.exec_driver_sql("CREATE TABLE oops ()")\n    connection.commit()\n`;
    await release.write('migrations/env.py', envPy.replace('    context.configure', `${writes}    context.configure`));
    const failure = await failureOf(state());
    expect(failure).toMatchObject({ type: 'MigrationToolFailed', nonRetryable: true });
    expect(failure.message).toContain('read-only transaction');
    expect(await tables()).toEqual([]);
  });

  test.each([
    ['raises', 'raise NotImplementedError("no way back")'],
    ['does nothing', 'pass'],
    ['is missing', null],
  ])('tells a pending revision whose downgrade %s', async (_, wayDown) => {
    await release.revision('a1', [], create('t1'), wayDown);
    expect(await state()).toEqual({ applied: [], pending: ['a1'], reversible: false });
  });

  test('is refused where nobody says which of two newest revisions comes first', async () => {
    await threeRevisions();
    await release.revision('d3', ['a2'], create('t4'), drop('t4'));
    const failure = await failureOf(state());
    expect(failure).toMatchObject({ type: 'MigrationsBranch', nonRetryable: true });
    expect(failure.message).toMatch(/b3 and d3|d3 and b3/);
    expect(failure.message).toContain('alembic merge heads');
  });

  test('is refused where the database is at a revision that the release does not have', async () => {
    const all = await threeRevisions();
    await up(all);
    await unlink(join(release.folder, 'migrations/versions/b3.py'));
    const failure = await failureOf(state());
    expect(failure).toMatchObject({ type: 'UnknownRevision', nonRetryable: true });
    expect(failure.message).toContain('b3');
  });

  test('of branches that were merged goes in the order in which they are applied, and back one by one only along a chain', async () => {
    await threeRevisions();
    await release.revision('d3', ['a2'], create('t4'), drop('t4'));
    await release.revision('e5', ['b3', 'd3'], 'pass', 'pass');
    const { pending, reversible } = await state();
    expect([pending.slice(0, 2), [...pending.slice(2, 4)].sort(), pending[4]]).toEqual([
      ['c1', 'a2'],
      ['b3', 'd3'],
      'e5',
    ]);
    expect(reversible).toBe(false);
    expect(await up(pending)).toMatchObject({ applied: 5, revision: 'e5' });
  });

  test('on a machine without alembic is refused with what to do', async () => {
    await threeRevisions();
    await unlink(join(release.folder, '.venv'));
    for (const PATH of ['/nowhere', '/usr/bin:/bin']) {
      expect(await failureOf(state({ PATH }))).toMatchObject({
        type: 'PartMissing',
        message: expect.stringContaining('requirements.txt'),
      });
    }
  });

  test('of a database that does not answer is tried again, and its password not told', async () => {
    await threeRevisions();
    url = 'postgres://app:hunter2@127.0.0.1:1/shop';
    const failure = await failureOf(state());
    expect(failure).toMatchObject({ type: 'DatabaseUnreachable', nonRetryable: false });
    expect(failure.message).not.toContain('hunter2');
  });
});

describe('migrating', patience, () => {
  test("applies what was planned, with the release's own alembic and a name and lock timeout on its session", async () => {
    const all = await threeRevisions();
    const seen = `CREATE TABLE seen AS SELECT current_setting('application_name') AS name, current_setting('lock_timeout') AS lock`;
    await release.revision('d4', ['b3'], `op.execute("${seen}")`, drop('seen'));
    expect(await up([...all, 'd4'])).toMatchObject({ tool: 'alembic', applied: 4, revision: 'd4', attached: false });
    const [row] = await query(url, 'SELECT * FROM seen');
    expect(row).toMatchObject({ name: expect.stringMatching(/^holdpoint:[0-9a-f]{12}:[0-9a-f]{12}$/), lock: '5s' });
    expect(await state()).toEqual({ applied: [...all, 'd4'], pending: [], reversible: true });
    expect(await up([...all, 'd4'])).toMatchObject({ applied: 4, attached: true });
  });

  test('is refused when other revisions are pending than were planned', async () => {
    await threeRevisions();
    const failure = await failureOf(up(['c1', 'a2']));
    expect(failure).toMatchObject({ type: 'DatabaseMoved', nonRetryable: true });
    expect(failure.message).toContain('b3');
    expect(await tables()).toEqual([]);
  });

  test('that fails says with what, and leaves nothing half done', async () => {
    await threeRevisions();
    await release.revision('d4', ['b3'], 'op.execute("SELECT nonsense")', drop('t4'));
    const failure = await failureOf(up(['c1', 'a2', 'b3', 'd4']));
    expect(failure).toMatchObject({ type: 'MigrationFailed', nonRetryable: true });
    expect(failure.message).toContain('nonsense');
    expect((await state()).applied).toEqual([]);
  });

  test('down goes exactly to the revisions before the deploy, and again does nothing', async () => {
    const all = await threeRevisions();
    await up(all);
    expect(await down(['c1'])).toMatchObject({ takenBack: 2, revision: 'c1' });
    expect(await state()).toMatchObject({ applied: ['c1'], pending: ['a2', 'b3'] });
    expect(await down(['c1'])).toMatchObject({ takenBack: 0, revision: 'c1' });
    expect((await tables()).sort()).toEqual(['alembic_version', 't1']);
  });

  test('down is refused before anything is taken back where a revision has no way down', async () => {
    const all = await threeRevisions();
    await up(all);
    await release.revision('a2', ['c1'], create('t2'), 'pass');
    const failure = await failureOf(down([]));
    expect(failure).toMatchObject({ type: 'NoWayDown', nonRetryable: true });
    expect(failure.message).toContain('a2');
    expect((await state()).applied).toEqual(all);
  });
});

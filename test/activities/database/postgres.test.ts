import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase as createProduct } from '../../../activities/database/index.ts';
import { scratchPrefix } from '../../../activities/database/postgres.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { type Cluster, createDatabase, query, startPostgres } from '../../support/postgres.ts';

let cluster: Cluster;
let folder: string;
beforeAll(async () => {
  cluster = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-backup-'));
});
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

const key = (name: string) => `deploy/test/${name}|sha256:0|backup.postgres|1`;
const never = new AbortController().signal;

/** A shop with the awkward things: times, floats, bytes, quotes, partitions, a sequence, a large object. */
const shop = `
  CREATE TABLE orders (id bigserial PRIMARY KEY, "r" float8, at timestamptz DEFAULT now(), pic bytea, note text);
  CREATE TABLE "Odd ""one" (a int[], b jsonb, c interval, d money, e regclass);
  CREATE TABLE part (id int, day date) PARTITION BY RANGE (day);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
  CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM orders;
  CREATE TABLE nothing ();
  CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 -- one

    $$;
  INSERT INTO orders (r, pic, note) SELECT random(), 'x', 'note ' || n FROM generate_series(1, 500) n;
  INSERT INTO "Odd ""one" VALUES ('{1,2}', '{"a": 1}', '3 days 2 hours', 12.5, 'orders');
  INSERT INTO part SELECT n, '2024-01-01' FROM generate_series(1, 10) n;
  SELECT lo_from_bytea(0, 'large');`;

interface Options {
  bin?: string;
  signal?: AbortSignal;
  scratchUrl?: string;
  onExec?: (command: string[]) => void;
  to?: string;
}

function backUp(url: string, name: string, options: Options = {}) {
  const { bin = cluster.bin, signal = never, scratchUrl = null, onExec, to = join(folder, name) } = options;
  const local = createLocalHost();
  const host: HostPort = {
    ...local,
    exec(command, with_) {
      onExec?.(command);
      return local.exec(command, with_);
    },
  };
  const product = createProduct('postgres', { host, bin: async () => bin });
  return product.backUp({ url, scratchUrl, folder: to, key: key(name), signal });
}

async function scratchDatabases(name: string): Promise<number> {
  const rows = await query(cluster.url, 'SELECT FROM pg_database WHERE starts_with(datname, $1)', [
    scratchPrefix(key(name)),
  ]);
  return rows.length;
}

/** A folder of binaries in which one is replaced by a script that runs the real one (`$REAL "$@"`) and more. */
async function replaceBinary(name: string, script: string): Promise<string> {
  const bin = await mkdtemp(join(folder, 'bin-'));
  for (const tool of ['pg_dump', 'pg_restore', 'psql']) {
    const real = join(cluster.bin, tool);
    await writeFile(join(bin, tool), `#!/bin/sh\nREAL='${real}'\n${tool === name ? script : 'exec "$REAL" "$@"'}\n`);
    await chmod(join(bin, tool), 0o755);
  }
  return bin;
}

describe('a PostgreSQL backup', () => {
  test('is verified row by row while the database is being written to', async () => {
    const url = await createDatabase(cluster, 'busy');
    await query(url, shop);
    let writing = true;
    let written = 0;
    const writer = (async () => {
      while (writing) {
        await query(url, `INSERT INTO orders (note) VALUES ('late'); UPDATE orders SET note = 'x' WHERE id = 1`);
        written++;
      }
    })();
    const argv: string[] = [];
    const evidence = await backUp(url, 'busy', { onExec: (command) => argv.push(...command) });
    writing = false;
    await writer;
    expect(written).toBeGreaterThan(0);
    expect(evidence).toMatchObject({ database: 'busy', tables: 5 });
    expect(evidence.rows).toBeGreaterThanOrEqual(512);
    const file = String(evidence.file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(file)).size).toBe(evidence.bytes);
    const manifest = JSON.parse(await readFile(file.replace(/dump$/, 'json'), 'utf8'));
    expect(manifest).toMatchObject({ level: 'verified', sha256: evidence.sha256, sequences: 1 });
    expect(await readdir(join(folder, 'busy'))).toHaveLength(2);
    expect(await scratchDatabases('busy')).toBe(0);
    const password = new URL(url).password;
    expect(JSON.stringify([argv, evidence, manifest])).not.toContain(password);
  });

  test('that is finished is found again, and one whose file changed is made anew', async () => {
    const url = await createDatabase(cluster, 'again');
    await query(url, shop);
    const first = await backUp(url, 'again');
    const ran: string[] = [];
    expect(await backUp(url, 'again', { onExec: ([program]) => ran.push(program!) })).toEqual(first);
    expect(ran).toEqual(['sha256sum']);
    await writeFile(String(first.file), 'rotten');
    const second = await backUp(url, 'again');
    expect(second.bytes).toBe((await stat(String(first.file))).size);
    expect(second.tables).toBe(5);
  });

  test.each([
    ['lacks a row', 'DELETE FROM orders WHERE id = 7', /public\.orders has 499 rows instead of 500/],
    ['has another value', "UPDATE orders SET note = 'y' WHERE id = 7", /public\.orders has the same 500 rows/],
    ['lacks a table', 'DROP TABLE part', /public\.part_1 is missing/],
    ['has a sequence set back', "SELECT setval('orders_id_seq', 3)", /orders_id_seq stands at 3 instead of 500/],
    ['has another schema', 'ALTER TABLE orders ALTER note SET NOT NULL', /schema is another one/],
  ])('that %s when restored is not called a backup', async (what, sql, said) => {
    const name = `bad_${what.replaceAll(' ', '_')}`;
    const url = await createDatabase(cluster, name);
    await query(url, shop);
    const spoil = `"$REAL" "$@" && for a; do case $a in --dbname=*) ${cluster.bin}/psql -d "\${a#--dbname=}" -qc "${sql}" >/dev/null;; esac; done`;
    const bin = await replaceBinary('pg_restore', spoil);
    const failure = await backUp(url, name, { bin }).catch((error) => error);
    expect(failure).toMatchObject({ type: 'BackupDiffers', nonRetryable: true });
    expect(failure.message).toMatch(said);
    expect(await readdir(join(folder, name))).toEqual([]);
    expect(await scratchDatabases(name)).toBe(0);
  });

  test('that was cut short on its way to the disk is not called a backup', async () => {
    const url = await createDatabase(cluster, 'cut');
    await query(url, shop);
    const cut = `"$REAL" "$@" || exit; for a; do case $a in --file=*.dump.*) truncate -s -2000 "\${a#--file=}";; esac; done`;
    const failure = await backUp(url, 'cut', { bin: await replaceBinary('pg_dump', cut) }).catch((error) => error);
    expect(failure.type).toMatch(/^Backup(Failed|Differs)$/);
    expect(failure.nonRetryable).toBe(true);
    expect(await readdir(join(folder, 'cut'))).toEqual([]);
    expect(await scratchDatabases('cut')).toBe(0);
  });

  test('whose restore fails for real, for want of a role, is refused with what pg_restore said', async () => {
    const url = await createDatabase(cluster, 'roles');
    const other = await startPostgres();
    try {
      await query(url, `${shop} CREATE ROLE clerk; CREATE POLICY mine ON orders TO clerk USING (true);`);
      const failure = await backUp(url, 'roles', { scratchUrl: other.url }).catch((error) => error);
      expect(failure).toMatchObject({ type: 'BackupFailed', nonRetryable: true });
      expect(failure.message).toContain('role "clerk" does not exist');
      await query(other.url, 'CREATE ROLE clerk');
      expect(await backUp(url, 'roles', { scratchUrl: other.url })).toMatchObject({ tables: 5 });
      const left = await query(other.url, `SELECT FROM pg_database WHERE datname LIKE 'holdpoint%'`);
      expect(left).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  test.each(['pg_dump', 'pg_restore'])('killed during %s leaves nothing behind after the retry', async (tool) => {
    const name = `killed_${tool}`;
    const url = await createDatabase(cluster, name);
    await query(url, shop);
    const reached = join(folder, `${name}.reached`);
    // The orphan outlives its worker, with a session at the database.
    const bin = await replaceBinary(
      tool,
      `case "$1" in --version) exec "$REAL" "$@";; esac
      "$REAL" "$@" && touch ${reached} && exec ${cluster.bin}/psql -c 'SELECT pg_sleep(300)'`,
    );
    const program = new URL('./back-up-once.ts', import.meta.url);
    const worker = fork(program, [JSON.stringify({ url, bin, folder: join(folder, name), key: key(name) })], {
      execArgv: ['--import', 'tsx'],
      detached: true,
    });
    while (!(await stat(reached).catch(() => null))) await sleep(20);
    process.kill(-worker.pid!, 'SIGKILL');
    await once(worker, 'exit');
    expect(await scratchDatabases(name)).toBe(tool === 'pg_restore' ? 1 : 0);

    expect(await backUp(url, name)).toMatchObject({ tables: 5 });
    expect(await scratchDatabases(name)).toBe(0);
    expect((await readdir(join(folder, name))).map((file) => file.split('.').at(-1))).toEqual(['dump', 'json']);
    const sessions = `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'holdpoint:%'`;
    expect(await query(cluster.url, sessions)).toEqual([]);
  });

  test('of two overlapping attempts ends the older one, and the newer one is verified', async () => {
    const url = await createDatabase(cluster, 'twice');
    await query(url, shop);
    const reached = join(folder, 'twice.reached');
    const slow = await replaceBinary('pg_restore', `"$REAL" "$@"; touch ${reached}; sleep 0.5`);
    const older = backUp(url, 'twice', { bin: slow }).catch((error) => error);
    while (!(await stat(reached).catch(() => null))) await sleep(20);
    const newer = await backUp(url, 'twice');
    expect(newer).toMatchObject({ tables: 5 });
    expect(await older).toMatchObject({ nonRetryable: false });
    expect(await scratchDatabases('twice')).toBe(0);
    expect(await backUp(url, 'twice')).toEqual(newer);
  });

  test('that is cancelled ends its processes and sessions, and leaves nothing', async () => {
    const url = await createDatabase(cluster, 'cancelled');
    await query(url, shop);
    const controller = new AbortController();
    const bin = await replaceBinary('pg_restore', `"$REAL" "$@"; sleep 30`);
    const running = backUp(url, 'cancelled', { bin, signal: controller.signal }).catch((error) => error);
    while ((await scratchDatabases('cancelled')) === 0) await sleep(20);
    controller.abort(new Error('stopped by a person'));
    expect(await running).toMatchObject({ message: 'stopped by a person' });
    expect(await readdir(join(folder, 'cancelled'))).toEqual([]);
    expect(await scratchDatabases('cancelled')).toBe(0);
  });

  test('of a database that does not answer is tried again, one that refuses is not', async () => {
    const nowhere = 'postgres://app:hunter2@127.0.0.1:1/shop';
    const down = await backUp(nowhere, 'down').catch((error) => error);
    expect(down).toMatchObject({ type: 'DatabaseUnreachable', nonRetryable: false });
    expect(down.message).toContain('PostgreSQL at 127.0.0.1:1 does not answer (ECONNREFUSED)');
    const wrong = new URL(cluster.url);
    wrong.password = 'hunter2';
    const denied = await backUp(wrong.href, 'denied').catch((error) => error);
    expect(denied).toMatchObject({ type: 'DatabaseRefused', nonRetryable: true });
    const garbled = await backUp('mysql://app:hunter2@db/shop', 'garbled').catch((error) => error);
    expect(garbled).toMatchObject({ type: 'DatabaseUrlInvalid', nonRetryable: true });
    expect(`${down.message}${denied.message}${garbled.message}`).not.toContain('hunter2');
  });

  test('with a pg_dump older than the server is refused with both versions', async () => {
    const bin = await replaceBinary('pg_dump', 'echo "pg_dump (PostgreSQL) 9.6.1"');
    const failure = await backUp(cluster.url, 'old', { bin }).catch((error) => error);
    expect(failure).toMatchObject({ type: 'PgDumpTooOld', nonRetryable: true });
    expect(failure.message).toMatch(/pg_dump 9\.6\.1 .* PostgreSQL \d+\.\d+ .*postgresql-client-\d+/);
  });

  test('is refused with what to do where no scratch database may be created', async () => {
    const url = new URL(await createDatabase(cluster, 'narrow'));
    await query(url.href, `CREATE ROLE narrow LOGIN PASSWORD 'pw-narrow'; ALTER DATABASE narrow OWNER TO narrow`);
    Object.assign(url, { username: 'narrow', password: 'pw-narrow' });
    const failure = await backUp(url.href, 'narrow').catch((error) => error);
    expect(failure).toMatchObject({ type: 'ScratchRefused', nonRetryable: true });
    expect(failure.message).toContain('CREATEDB');
  });
});

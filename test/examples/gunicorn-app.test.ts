import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../parts/ports.ts';
import { runProgram } from '../../parts/program.ts';
import { query } from '../support/postgres.ts';
import { buildRelease, makeShopRepository, vmExample } from '../support/vm-example.ts';
import { ShopUsers } from '../support/vm-example-load.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-gunicorn-')));
const database = `gunicorn_${randomUUID().slice(0, 8)}`;
const DATABASE_URL = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${database}` }).href;
const release = (version: 1 | 2) => join(folder, `releases/v${version}`);
const slot = join(folder, 'slots/blue');
const drivers = { 1: '3.3.8', 2: '3.3.9' };

beforeAll(async () => {
  await query(inject('postgresUrl'), `CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  makeShopRepository(join(folder, 'shop.git'));
  await runProgram('mkdir', ['-p', join(folder, 'slots')]);
  for (const version of [1, 2] as const) {
    await buildRelease(join(folder, 'shop.git'), `v${version}`, release(version));
    await alembic(release(version));
  }
}, 600_000);
afterAll(async () => {
  await query(inject('postgresUrl'), `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const alembic = (cwd: string) =>
  runProgram('.venv/bin/alembic', ['upgrade', 'head'], { cwd, env: { ...process.env, DATABASE_URL } });

/** The slot's link in one go, as a deploy sets it. */
function point(to: string): void {
  symlinkSync(to, `${slot}.next`);
  renameSync(`${slot}.next`, slot);
}

/** Words of a setting of the unit, for this folder and this slot. */
function unitSays(setting: string): string[] {
  const line = readFileSync(join(vmExample, 'machine/shop@.service'), 'utf8').match(
    new RegExp(`^${setting}=(.+)$`, 'm'),
  );
  return line![1]!.replaceAll('/srv/shop', folder).replaceAll('%i', 'blue').split(' ');
}

interface Answer {
  version: string;
  psycopg: string;
}

/** Starts it as the unit does. */
async function start() {
  const [program, ...words] = unitSays('ExecStart');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { PATH: process.env.PATH, ADDRESS: '127.0.0.1', PORT: `${port}`, DATABASE_URL };
  const child = spawn(program!, words, {
    cwd: unitSays('WorkingDirectory')[0],
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let printed = '';
  child.stderr!.on('data', (more) => (printed += more));
  const ended = once(child, 'exit');
  onTestFinished(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {}
  });
  const answer = (): Promise<Answer | null> =>
    fetch(url, { headers: { connection: 'close' } })
      .then((response) => response.json() as Promise<Answer>)
      .catch(() => null);
  while ((await answer()) === null) {
    if (child.exitCode !== null) throw new Error(`gunicorn ended with ${child.exitCode}: ${printed}`);
    await sleep(50);
  }
  return { url, answer, reload: () => child.kill('SIGHUP'), stop: () => child.kill('SIGTERM'), ended };
}

/** Until nobody who asks anew meets another version, several times in a row: both workers are renewed. */
async function served(answer: () => Promise<Answer | null>, version: string): Promise<void> {
  for (let inRow = 0; inRow < 20; ) {
    const isSo = (await answer())?.version === version;
    inRow = isSo ? inRow + 1 : 0;
    await sleep(20);
  }
}

test('alembic brings the database to what each release needs, and again does nothing', async () => {
  await alembic(release(2));
  expect(await query(DATABASE_URL, 'SELECT version_num FROM alembic_version')).toEqual([{ version_num: '0002_note' }]);
  const columns = await query(
    DATABASE_URL,
    `SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'`,
  );
  expect(columns.map(({ column_name }) => column_name).sort()).toEqual(['id', 'note', 'sku']);
});

test('a reload takes the code and the packages that the link names then, there and back, and loses no request', async () => {
  point(release(1));
  const { url, answer, reload, stop, ended } = await start();
  expect(await answer()).toEqual({ version: '1', psycopg: drivers[1] });
  const before = Number((await query(DATABASE_URL, 'SELECT count(*) FROM orders'))[0]!.count);
  const users = new ShopUsers(url);
  for (const version of [2, 1, 2] as const) {
    await sleep(1_000);
    point(release(version));
    reload();
    await served(answer, `${version}`);
    expect(await answer()).toEqual({ version: `${version}`, psycopg: drivers[version] });
  }
  const { sent, lost } = await users.stop();
  const orders = Number((await query(DATABASE_URL, 'SELECT count(*) FROM orders'))[0]!.count) - before;
  console.info(`3 reloads: ${sent} sent, ${lost.length} lost, the longest wait ${users.longest} ms`);
  expect(lost).toEqual([]);
  expect(users.versionsSince(0)).toEqual(['1', '2']);
  expect(orders).toBe(users.orders);
  stop();
  expect((await ended)[0]).toBe(0);
}, 120_000);

test('a reload still works once the release that it was started with is removed', async () => {
  await runProgram('cp', ['-r', release(1), join(folder, 'releases/v0')]);
  point(join(folder, 'releases/v0'));
  const { answer, reload } = await start();
  for (const version of [2, 1] as const) {
    point(release(version));
    reload();
    await served(answer, `${version}`);
    rmSync(join(folder, 'releases/v0'), { recursive: true, force: true });
  }
}, 120_000);

test('what a request imports late comes from the release that began to answer it', async () => {
  const late = join(folder, 'releases/late');
  for (const version of [1, 2] as const) {
    const copy = `${late}-${version}`;
    await runProgram('cp', ['-r', release(version), copy]);
    writeFileSync(join(copy, 'late.py'), `version = "${version}"\n`);
    const text = readFileSync(join(copy, 'shop.py'), 'utf8');
    const imports = 'time.sleep(int(parse_qs(environ["QUERY_STRING"])["ms"][0]) / 1000)\n';
    expect(text).toContain(imports);
    const indented = `${imports}            import late\n            return "200 OK", {"version": late.version}\n`;
    writeFileSync(join(copy, 'shop.py'), text.replace(imports, indented));
  }
  point(`${late}-1`);
  const { url, answer, reload } = await start();
  const slow = fetch(`${url}/slow?ms=3000`).then((response) => response.json());
  await sleep(500);
  point(`${late}-2`);
  reload();
  expect(await slow).toEqual({ version: '1' });
  await served(answer, '2');
  expect(await (await fetch(`${url}/slow?ms=0`)).json()).toEqual({ version: '2' });
}, 120_000);

test('a release that cannot be imported is told by the check of the runbook, and by nothing else before it is too late', async () => {
  const broken = join(folder, 'releases/broken');
  await runProgram('cp', ['-r', release(2), broken]);
  writeFileSync(join(broken, 'shop.py'), 'import nothing_of_that_name\n');
  const check = (cwd: string) =>
    runProgram('.venv/bin/python3', ['.venv/bin/gunicorn', '--check-config', 'shop:app'], {
      cwd,
      env: { ...process.env, DATABASE_URL },
    });
  await check(release(2));
  await expect(check(broken)).rejects.toThrow('ended with 1');

  point(release(1));
  const { answer, reload, ended } = await start();
  point(broken);
  reload();
  expect((await ended)[0]).toBeGreaterThan(0);
  expect(await answer()).toBeNull();
}, 120_000);

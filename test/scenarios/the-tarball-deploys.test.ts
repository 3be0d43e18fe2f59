import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../parts/ports.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { type RunningCaddy, startCaddy } from '../support/caddy.ts';
import { endInstances } from '../support/end-instances.ts';
import { type Ended, Installed } from '../support/installed.ts';

const holdpoint = new Installed();
let caddy: RunningCaddy | undefined;
beforeAll(() => holdpoint.install());
afterAll(async () => {
  await caddy?.kill();
  endInstances(starts());
  await holdpoint.remove();
});

describe('the tarball', () => {
  test('holds what runs, and nothing of how it is made', () => {
    const { files, size, unpackedSize } = holdpoint.tarball;
    const paths = files.map(({ path }) => path);
    const top = new Set(paths.map((path) => path.split('/')[0]));
    const published: string[] = JSON.parse(readFileSync(join(holdpoint.package, 'package.json'), 'utf8')).files;
    expect([...top].filter((name) => !['package.json', ...published].includes(name!))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'dist/cli/bin/main.js', 'dist/workflow-bundle.js']));
    const unwanted =
      /(^|\/)(test|tests|demo|bench|scripts|node_modules|\.built)(\/|$)|(?<!\.d)\.ts$|\.test\.|\.map$|\.tgz$/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
    expect(size).toBeLessThan(1_500_000);
    expect(unpackedSize).toBeLessThan(6_000_000);
  });

  test('depends on exactly the packages that it imports, each pinned', () => {
    const { dependencies } = JSON.parse(readFileSync(join(holdpoint.package, 'package.json'), 'utf8'));
    expect(imports(join(holdpoint.package, 'dist'))).toEqual(Object.keys(dependencies).sort());
    for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('in a folder that has never seen Holdpoint', () => {
  beforeAll(async () => {
    const { project } = holdpoint;
    writeFileSync(join(project, 'package.json'), '{ "name": "notes", "scripts": { "start": "node server.js" } }');
    for (const version of ['1', '2']) {
      mkdirSync(join(project, 'releases', version), { recursive: true });
      copyFileSync(service, join(project, 'releases', version, 'server.js'));
    }
    copyFileSync(service, join(project, 'server.js'));
  });

  test('init, dev, plan, deploy, approve, history, status, report and rollback do as they say', async () => {
    const init = await holdpoint.run('init');
    expect(init).toMatchObject({ code: 0, stderr: '' });
    expect(init.stdout).toContain('holdpoint dev');
    const front = await movePorts();
    caddy = await startCaddy({ caddyfile: read('Caddyfile'), folder: holdpoint.project });
    const ports = ['--port', String(await freePort()), '--ui-port', String(await freePort())];
    await holdpoint.start('Ctrl-C stops both', 'dev', ...ports);
    await workerIsThere();

    const plan = await holdpoint.run('plan', '--version', '1');
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.stdout).toContain('Start notes 1 in blue');

    await deploy('1');
    expect(await answer(front)).toEqual({ version: '1' });
    await deploy('2');
    expect(await answer(front)).toEqual({ version: '2' });

    expect(JSON.parse(await said('history', '--json'))).toMatchObject([
      { release: '2', outcome: 'succeeded', by: 'ana' },
      { release: '1', outcome: 'succeeded', by: 'ana' },
    ]);
    expect(await said('status')).toContain('notes 2 is live');
    expect(await said('report')).toContain('# Deploy notes 1 → 2 to local: succeeded');

    expect(await said('rollback', '--reason', 'notes are gone')).toContain('notes is back at 1, from 2');
    expect(await answer(front)).toEqual({ version: '1' });
  }, 120_000);

  test('Ctrl-C ends dev and its server, and the service serves on', async () => {
    const address = JSON.parse(readFileSync(join(holdpoint.folder, 'home', 'dev.json'), 'utf8')).address;
    expect(await holdpoint.interrupt()).toEqual([0]);
    expect(await holdpoint.run('status', '--address', address)).toMatchObject({ code: 4 });
    expect(await answer(frontOf(read('environments.yaml')))).toEqual({ version: '1' });
  });
});

/** Deploys as a person does in one terminal, and approves as one does in another. */
async function deploy(version: string): Promise<void> {
  const running = holdpoint.run('deploy', '--version', version);
  const status = await untilAsked(version, running);
  expect(status.hold?.step).toBe('verify.hold');
  expect(await said('approve')).toContain('Approved');
  const ended = await running;
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  expect(ended.stdout).toContain(`notes ${version} is live`);
}

/** Throws what the deploy said when it ended without asking. */
async function untilAsked(version: string, running: Promise<Ended>): Promise<RunStatus> {
  let ended: Ended | undefined;
  running.then((end) => {
    ended = end;
  });
  for (;;) {
    if (ended) throw new Error(`the deploy ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
    const { code, stdout } = await holdpoint.run('status', '--json');
    const status: RunStatus | undefined = code === 0 ? JSON.parse(stdout) : undefined;
    if (status?.release === version && status.hold) return status;
    await sleep(200);
  }
}

/** Its output, once it has succeeded. */
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await holdpoint.run(...args);
  expect(code, `holdpoint ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** `dev` says where it is just before its worker asks for work. */
async function workerIsThere(): Promise<void> {
  while ((await holdpoint.run('doctor')).code !== 0) await sleep(200);
}

/** As someone does whose usual ports are taken; returns the front door's URL. */
async function movePorts(): Promise<string> {
  const free = new Map<string, number>();
  for (const port of ['8080', '2019', '4001', '4002']) free.set(port, await freePort());
  const moved = (text: string) => text.replace(/\b(8080|2019|4001|4002)\b/g, (port) => String(free.get(port)));
  for (const file of ['environments.yaml', 'Caddyfile'])
    writeFileSync(join(holdpoint.project, file), moved(read(file)));
  return frontOf(read('environments.yaml'));
}

const frontOf = (environments: string) => /front: "?([^"\s]+)/.exec(environments)![1]!;
const answer = async (url: string) => (await fetch(url)).json();
const read = (file: string) => readFileSync(join(holdpoint.project, file), 'utf8');

/** One line for every process of the service that ever began. */
function starts(): string[] {
  try {
    return read('starts').trim().split('\n');
  } catch {
    return [];
  }
}

/** Names of the packages that the built files import, sorted; the bundle holds its own. */
function imports(dist: string): string[] {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.js') && file !== 'workflow-bundle.js');
  const found = sources.flatMap((file) => [
    ...readFileSync(join(dist, file), 'utf8').matchAll(/\b(?:from|import|import\() ?'((?:@[\w-]+\/)?[\w-]+)[/']/g),
  ]);
  const names = found.map((match) => match[1]!);
  return [...new Set(names)].filter((name) => !name.startsWith('node:')).sort();
}

const service = join(import.meta.dirname, '../fixtures/notes/server.js');

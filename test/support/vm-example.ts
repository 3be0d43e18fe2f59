import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runProgram } from '../../parts/program.ts';
import { fromWheels, wheelsFor } from './python.ts';

export const vmExample = join(import.meta.dirname, '../../examples/vm-systemd-gunicorn');

/**
 * Releases of the shop, oldest first. `v3` is well by its health check, and answers its front page with errors; `v4` is
 * `v2` with the older driver.
 */
export const shopTags = ['v1', 'v2', 'v3', 'v4'] as const;
export type ShopTag = (typeof shopTags)[number];

/** Which release has which driver: `v1` and `v4` the one before. */
export const driver = { now: 'psycopg[binary]==3.3.9', before: 'psycopg[binary]==3.3.8' };

/** Puts the files of a release into a folder, in place of what is there. `v1` has an older psycopg, and one revision. */
function put(folder: string, tag: ShopTag): void {
  cpSync(join(vmExample, 'app'), folder, { recursive: true });
  const change = (file: string, from: string, to: string) => {
    const text = readFileSync(join(folder, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} of the example has no ${from} any more`);
    writeFileSync(join(folder, file), text.replace(from, to));
  };
  writeFileSync(join(folder, 'VERSION'), `${tag.slice(1)}\n`);
  if (tag === 'v1' || tag === 'v4') change('requirements.txt', driver.now, driver.before);
  if (tag === 'v1') rmSync(join(folder, 'migrations/versions/0002_note.py'));
  if (tag === 'v3') change('shop.py', 'return "200 OK", {"version": VERSION, "psycopg"', 'return "500 Oops", {"was"');
}

/** A git repository with a tag for each release of the shop, as the service's developers have it. */
export function makeShopRepository(folder: string): void {
  const who = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com'];
  const git = (...words: string[]) => execFileSync('git', [...who, '-C', folder, ...words], { stdio: 'ignore' });
  mkdirSync(folder, { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(folder, '.gitignore'), '.venv/\n__pycache__/\n');
  for (const tag of shopTags) {
    put(folder, tag);
    git('add', '--all');
    git('commit', '--quiet', '--message', `Release ${tag}`);
    git('tag', tag);
  }
}

/** A folder with the wheels of every release, fetched once. */
export function shopWheels(): Promise<string> {
  const now = readFileSync(join(vmExample, 'app/requirements.txt'), 'utf8').split('\n').filter(Boolean);
  return wheelsFor([now, now.map((line) => (line === driver.now ? driver.before : line))]);
}

/** What the runbook says under `prepare.artifact.build`: argv of each step. */
export function buildSteps(): string[][] {
  return parse(readFileSync(join(vmExample, 'holdpoint.yaml'), 'utf8')).prepare.artifact.build;
}

/** A checkout of a release, built as the runbook says; some 15 s. */
export async function buildRelease(repository: string, tag: ShopTag, folder: string): Promise<void> {
  const env = { ...process.env, ...fromWheels(await shopWheels()) };
  await runProgram('git', ['clone', '--quiet', '--branch', tag, repository, folder]);
  for (const [program, ...words] of buildSteps()) await runProgram(program!, words, { cwd: folder, env });
}

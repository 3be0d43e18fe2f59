import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { refuse } from '../failures.ts';

const run = promisify(execFile);
const needed = ['pg_dump', 'pg_restore'];

/**
 * Folder on this machine with pg_dump and pg_restore, from: $HOLDPOINT_POSTGRES_BIN, PATH,
 * /usr/lib/postgresql/<major>/bin (newest first), `pg_config --bindir`. With `serverMajor` a folder of exactly
 * that major version is preferred, then a newer one: an older pg_dump cannot dump, and what a newer one
 * writes does not always restore into an older server.
 * @throws `PartMissing` with what to install; also where $HOLDPOINT_POSTGRES_BIN is set and lacks them
 */
export async function findPostgresBin(serverMajor?: number): Promise<string> {
  const given = process.env.HOLDPOINT_POSTGRES_BIN;
  if (given) {
    if (await isComplete(given)) return given;
    throw refuse('PartMissing', `HOLDPOINT_POSTGRES_BIN is ${given}, but there is no ${needed.join(' and ')} in it.`);
  }
  const folders: string[] = [];
  for (const folder of [...pathFolders(), ...(await debianFolders()), ...(await configFolder())]) {
    if (!folders.includes(folder) && (await isComplete(folder))) folders.push(folder);
  }
  const best = serverMajor === undefined ? folders[0] : await bestFor(serverMajor, folders);
  if (best) return best;
  const version = serverMajor ?? '16';
  throw refuse(
    'PartMissing',
    `pg_dump and pg_restore were not found (looked in PATH, /usr/lib/postgresql and pg_config). ` +
      `Install them: apt-get install postgresql-client-${version}, or brew install postgresql@${version}; ` +
      'or set HOLDPOINT_POSTGRES_BIN to the folder that holds them.',
  );
}

async function bestFor(major: number, folders: string[]): Promise<string | undefined> {
  const majors = await Promise.all(folders.map(majorVersion));
  const distance = (index: number) => (majors[index]! < major ? 1000 : 0) + Math.abs(majors[index]! - major);
  const order = folders.map((_, index) => index).sort((a, b) => distance(a) - distance(b));
  return order.length > 0 ? folders[order[0]!] : undefined;
}

/** 0 where it cannot be run. */
async function majorVersion(folder: string): Promise<number> {
  const output = await run(join(folder, 'pg_dump'), ['--version']).catch(() => ({ stdout: '' }));
  return Number(/\d+/.exec(output.stdout)?.[0] ?? 0);
}

function pathFolders(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter(Boolean);
}

async function debianFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
}

async function configFolder(): Promise<string[]> {
  return run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    for (const name of needed) {
      const file = join(folder, name);
      await access(file, constants.X_OK);
      // Debian's wrapper on PATH is no version of its own: it picks one of those in /usr/lib/postgresql.
      if ((await realpath(file)).endsWith('pg_wrapper')) return false;
    }
    return true;
  } catch {
    return false;
  }
}

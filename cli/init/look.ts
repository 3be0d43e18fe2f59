import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { foldersIn } from '../folders.ts';

/** What a folder tells about the service in it. */
export interface Findings {
  service: string;
  /** argv with {port}, and where it comes from; null where nothing says how the service starts. */
  start: { command: string[]; from: string } | null;
  /** A path that the source answers, null where none was seen. */
  health: string | null;
  migrations: 'dbmate' | 'alembic' | null;
  /** Names in .env, never the values. */
  secrets: string[];
  /** Names of the folders in releases/, null where there is no such folder. */
  releases: string[] | null;
}

/** Looks at a folder; reads a few small files, runs nothing, changes nothing. */
export function look(folder: string, service?: string): Findings {
  const has = (path: string) => existsSync(join(folder, path));
  const start = fromProcfile(folder) ?? fromPackage(folder) ?? fromPython(folder);
  return {
    service: toName(service ?? nameOf(folder)),
    start,
    health: healthPath(folder, start?.command ?? []),
    migrations: has('db/migrations') ? 'dbmate' : has('alembic.ini') ? 'alembic' : null,
    secrets: secretNames(read(folder, '.env') ?? ''),
    releases: has('releases') ? foldersIn(join(folder, 'releases')) : null,
  };
}

function nameOf(folder: string): string {
  const fromPackageJson = parsed(read(folder, 'package.json'))?.name;
  const fromPyproject = /^\s*name\s*=\s*["']([^"']+)["']/m.exec(read(folder, 'pyproject.toml') ?? '')?.[1];
  return typeof fromPackageJson === 'string' ? fromPackageJson : (fromPyproject ?? basename(resolve(folder)));
}

/** A name as the runbook wants it: `@acme/Shop_API` → `shop-api`. */
export function toName(text: string): string {
  const name = text
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '');
  return name.slice(0, 63) || 'app';
}

function fromProcfile(folder: string): Findings['start'] {
  const line = /^web:\s*(.+)$/m.exec(read(folder, 'Procfile') ?? '')?.[1];
  return line ? toStart(line, 'the web line of Procfile') : null;
}

function fromPackage(folder: string): Findings['start'] {
  const manifest = parsed(read(folder, 'package.json'));
  if (!manifest) return null;
  const { scripts, main } = manifest as { scripts?: Record<string, unknown>; main?: unknown };
  if (typeof scripts?.start === 'string') {
    // npm hands no SIGTERM on, so the service itself is started wherever its line can be read.
    return toStart(scripts.start, 'the start script of package.json');
  }
  const entry =
    typeof main === 'string' ? main : ['server.js', 'index.js'].find((file) => existsSync(join(folder, file)));
  return entry ? { command: ['node', entry], from: 'package.json' } : null;
}

function fromPython(folder: string): Findings['start'] {
  if (!existsSync(join(folder, 'pyproject.toml')) && !existsSync(join(folder, 'requirements.txt'))) return null;
  const module = ['app', 'main', 'wsgi'].find((name) => existsSync(join(folder, `${name}.py`))) ?? 'app';
  return {
    command: ['gunicorn', `${module}:app`, '--bind', '127.0.0.1:{port}'],
    from: 'a guess: there is Python here',
  };
}

/** A shell line as argv; null where it needs a shell. */
function toStart(line: string, from: string): Findings['start'] {
  const filled = line.trim().replace(/\$\{?PORT\}?/g, '{port}');
  return /[|&;<>$`"'*()]/.test(filled) ? null : { command: filled.split(/\s+/), from };
}

function healthPath(folder: string, command: string[]): string | null {
  const sources = [
    ...command,
    'server.js',
    'index.js',
    'app.py',
    'main.py',
    'src/server.js',
    'src/index.js',
    'src/server.ts',
  ];
  const text = sources.map((file) => (/\.(m?[jt]s|py|rb)$/.test(file) ? (read(folder, file) ?? '') : '')).join('\n');
  return (
    ['/healthz', '/health', '/readyz', '/up', '/ping'].find((path) => new RegExp(`["'\`]${path}["'\`]`).test(text)) ??
    null
  );
}

function secretNames(env: string): string[] {
  const names = [...env.matchAll(/^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/gm)].map((match) => match[1]!);
  return [...new Set(names)].filter((name) => !['PORT', 'HOST', 'NODE_ENV'].includes(name));
}

function read(folder: string, file: string): string | null {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return null;
  }
}

function parsed(text: string | null): Record<string, unknown> | null {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

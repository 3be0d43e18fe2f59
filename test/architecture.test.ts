import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * Who may import what. A rule names files by how their paths begin; the first rule that fits a file counts. `may`
 * lists beginnings of what it may import: files of the project, packages, `node:`. Its own folder is always allowed.
 */
const rules: { files: string; may: string[] }[] = [
  { files: 'workflows/runbook/schema.ts', may: ['workflows/runbook/', 'zod'] },
  { files: 'workflows/runbook/', may: [] },
  { files: 'workflows/messages.ts', may: ['workflows/runbook/', '@temporalio/common'] },
  // A type alone: nothing of Node gets into the workflows' bundle.
  { files: 'workflows/ports.ts', may: ['workflows/runbook/', 'node:stream'] },
  { files: 'workflows/', may: ['@temporalio/workflow', '@temporalio/common'] },
  {
    files: 'activities/docker/',
    may: [
      'activities/',
      'workflows/ports.ts',
      'workflows/runbook/',
      '@temporalio/activity',
      'dockerode',
      'tar-fs',
      'tar-stream',
      '@balena/dockerignore',
      'zod',
      'node:',
    ],
  },
  {
    files: 'activities/ssh/',
    may: [
      'activities/',
      'workflows/ports.ts',
      'workflows/runbook/',
      '@temporalio/activity',
      'ssh2',
      'ssh-config',
      'zod',
      'node:',
    ],
  },
  {
    files: 'activities/',
    may: [
      'workflows/ports.ts',
      'workflows/runbook/',
      'configuration/',
      '@temporalio/activity',
      'zod',
      'yaml',
      'pg',
      'node:',
    ],
  },
  {
    files: 'worker/',
    may: [
      'activities/index.ts',
      'configuration/',
      'workflows/ports.ts',
      'workflows/messages.ts',
      '@temporalio/',
      'node:',
    ],
  },
  {
    files: 'cli/',
    may: [
      'workflows/messages.ts',
      'workflows/runbook/',
      'worker/',
      'parts/',
      'configuration/',
      '@temporalio/client',
      '@temporalio/common',
      '@temporalio/envconfig',
      '@clack/prompts',
      'commander',
      'yaml',
      'zod',
      'node:',
    ],
  },
  { files: 'configuration/', may: ['workflows/runbook/', '@temporalio/common', 'yaml', 'zod', 'node:'] },
  { files: 'parts/', may: ['@temporalio/client', 'node:'] },
  {
    files: 'demo/',
    may: [
      'activities/',
      'cli/',
      'parts/',
      'workflows/messages.ts',
      'workflows/runbook/',
      '@temporalio/client',
      '@clack/prompts',
      'pg',
      'yaml',
      'node:',
    ],
  },
];

/** What only one folder may import, so that a vendor stays behind its port. */
const onlyIn: Record<string, string> = {
  dockerode: 'activities/docker/',
  ssh2: 'activities/ssh/',
  'ssh-config': 'activities/ssh/',
};

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['workflows', 'activities', 'worker', 'cli', 'configuration', 'parts', 'demo'];
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

interface Import {
  file: string;
  /** A path from the root, or a package. */
  target: string;
  typeOnly: boolean;
}

const statement =
  /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)|^import\s+['"]([^'"]+)['"]/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(statement)].map(([, type, from, dynamic, bare]) => {
    const written = from ?? dynamic ?? bare!;
    const target = written.startsWith('.') ? relative(root, resolve(root, dirname(file), written)) : written;
    return { file, target, typeOnly: type !== undefined };
  });
}

const imports = files.flatMap(importsOf);
const describeImport = ({ file, target }: Import) => `${file} -> ${target}`;

function isAllowed({ file, target, typeOnly }: Import): boolean {
  const { files: scope, may } = rules.find(({ files }) => file.startsWith(files))!;
  const own = scope.endsWith('/') ? scope : `${dirname(scope)}/`;
  if (target.startsWith(own)) return true;
  if (typeOnly && file.startsWith('activities/') && target === '@temporalio/worker') return true;
  return may.some(
    (beginning) =>
      target === beginning ||
      target.startsWith(beginning.endsWith('/') || beginning.endsWith(':') ? beginning : `${beginning}/`),
  );
}

describe('the house', () => {
  test('has files to look at, and every one has a rule', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(files.filter((file) => !rules.some((rule) => file.startsWith(rule.files)))).toEqual([]);
  });

  test('keeps every import within its table', () => {
    expect(imports.filter((one) => !isAllowed(one)).map(describeImport)).toEqual([]);
  });

  test('would notice a wrong import', () => {
    const wrong = [
      { file: 'workflows/runbook/plan.ts', target: '@temporalio/workflow', typeOnly: false },
      { file: 'workflows/runbook/plan.ts', target: 'zod', typeOnly: false },
      { file: 'workflows/deploy.ts', target: 'node:fs', typeOnly: false },
      { file: 'cli/main.ts', target: 'activities/index.ts', typeOnly: false },
      { file: 'activities/site.ts', target: 'workflows/deploy.ts', typeOnly: false },
    ];
    expect(wrong.filter(isAllowed)).toEqual([]);
  });

  test('keeps a vendor behind its port', () => {
    const astray = imports.filter(({ file, target }) => onlyIn[target] && !file.startsWith(onlyIn[target]));
    expect(astray.map(describeImport)).toEqual([]);
  });

  test('calls proxyActivities in one file', () => {
    const callers = files.filter((file) => readFileSync(join(root, file), 'utf8').includes('proxyActivities<'));
    expect(callers).toEqual(['workflows/activity-proxies.ts']);
  });

  test('tells the deploy in less than 80 lines', () => {
    expect(readFileSync(join(root, 'workflows/deploy.ts'), 'utf8').split('\n').length).toBeLessThan(80);
  });

  test('runs no shell text built from values', () => {
    const shells = files.filter((file) =>
      /\bexec(Sync)?\(\s*[`'"]|shell:\s*true/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(shells).toEqual([]);
  });
});

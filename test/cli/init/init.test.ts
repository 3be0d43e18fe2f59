import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { look, toName } from '../../../cli/init/look.ts';
import { runbookText } from '../../../cli/init/runbook-text.ts';
import { flowList } from '../../../cli/init/yaml.ts';
import { runbookDocument } from '../../../cli/runbook/runbook-document.ts';
import { checkDocument } from '../../../configuration/check-document.ts';
import { holdpoint } from '../support/cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const put = (path: string, text = '') => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const runbook = () => {
  const checked = checkDocument(runbookText(look(folder)), runbookDocument);
  expect(checked.problems).toEqual([]);
  return checked.value!;
};

describe('a runbook is written from what the folder says', () => {
  test('an empty folder gets one that is valid', () => {
    expect(runbook().rollout.start).toContain('{port}');
  });

  test('a Node service starts as its start script does, on the port it is given', () => {
    put('package.json', JSON.stringify({ name: '@acme/Shop_API', scripts: { start: 'node server.js' } }));
    put('server.js', "app.get('/healthz')");
    expect(runbook()).toMatchObject({
      service: 'shop-api',
      rollout: { start: ['node', 'server.js'], env: { PORT: '{port}' }, ready: 'GET /healthz' },
    });
  });

  test('a Procfile says best how a service starts', () => {
    put('package.json', '{}');
    put('Procfile', 'worker: node w.js\nweb: gunicorn shop:app --bind 127.0.0.1:$PORT\n');
    expect(runbook().rollout).toMatchObject({ start: ['gunicorn', 'shop:app', '--bind', '127.0.0.1:{port}'], env: {} });
  });

  test('a line that needs a shell is not taken for argv', () => {
    put('package.json', JSON.stringify({ scripts: { start: 'build && node x.js' } }));
    expect(look(folder).start).toBeNull();
  });

  test('dbmate migrations bring a backup, a hold and the database secret', () => {
    put('db/migrations/1.sql');
    expect(runbook()).toMatchObject({
      backup: [{ postgres: 'DATABASE_URL' }],
      migrate: { tool: 'dbmate', hold: {} },
      prepare: { secrets: ['DATABASE_URL'] },
    });
  });

  test('names of secrets are taken from .env, their values never', () => {
    put('.env', 'API_KEY=s3cret\nexport TOKEN="t0ken"\nPORT=1\n');
    const text = runbookText(look(folder));
    expect(text).toContain('secrets: [API_KEY, TOKEN]');
    expect(text).not.toMatch(/s3cret|t0ken/);
  });

  test('any name becomes one that a runbook may have', () => {
    expect(['@a/Shop', '9lives', 'ÄÖ', 'a b.c-'].map(toName)).toEqual(['shop', 'lives', 'app', 'a-b-c']);
  });

  test('words are quoted where YAML would read something else', () => {
    const words = ['{port}', 'true', '1', 'a b', "it's", 'x:y', '-p', '127.0.0.1:{port}', '#', '@x', 'no'];
    expect(parse(flowList(words))).toEqual(words);
  });
});

describe('holdpoint init', () => {
  const file = () => join(folder, 'holdpoint.yaml');
  const firstLine = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n')[0];

  test('says where Caddy comes from, and that it runs before the first deploy', async () => {
    for (const version of ['1', '10', '2']) put(`releases/${version}/server.js`);
    const { stdout } = await holdpoint(['init', '-f', file()]);
    expect(stdout).toMatch(/caddy run --config .*Caddyfile +the front door; must run before the first deploy/);
    expect(stdout).toContain('https://caddyserver.com/docs/install');
    // The newest release: 10, not 2.
    expect(stdout).toContain('--version 10 ');
  });

  test('names the schema for editors only where Holdpoint is installed beside the files', async () => {
    await holdpoint(['init', '-f', file()]);
    expect(firstLine('holdpoint.yaml')).not.toContain('$schema');
    for (const name of ['runbook', 'environments']) put(`node_modules/holdpoint/schema/${name}.schema.json`);
    await holdpoint(['init', '-f', file(), '--force']);
    const line = (name: string) => `# yaml-language-server: $schema=node_modules/holdpoint/schema/${name}.schema.json`;
    expect(firstLine('holdpoint.yaml')).toBe(line('runbook'));
    expect(firstLine('environments.yaml')).toBe(line('environments'));
  });

  test('writes three files, and never over one that exists', async () => {
    const file = join(folder, 'holdpoint.yaml');
    const first = await holdpoint(['init', '-f', file]);
    expect(first).toMatchObject({ code: 0 });
    expect(parse(readFileSync(join(folder, 'environments.yaml'), 'utf8'))).toMatchObject({
      environments: { local: {} },
    });
    expect(readFileSync(join(folder, 'Caddyfile'), 'utf8')).toContain('reverse_proxy');
    put('holdpoint.yaml', 'mine');
    rmSync(join(folder, 'Caddyfile'));
    expect(await holdpoint(['init', '-f', file])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await holdpoint(['init', '-f', file])).toMatchObject({ code: 2 });
    expect(await holdpoint(['init', '-f', file, '--force'])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).not.toBe('mine');
  });
});

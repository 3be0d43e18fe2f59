import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { find, type Search } from '../../parts/find.ts';
import { findPart, PartNotFound } from '../../parts/index.ts';
import { versionOf } from '../../parts/probe.ts';

const variable = 'HOLDPOINT_CADDY_BIN';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-parts-'));
});
afterEach(() => {
  delete process.env[variable];
  rmSync(folder, { recursive: true, force: true });
});

/** A program that says it is this version. */
function program(name: string, version: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho v${version} h1:x=\n`);
  chmodSync(path, 0o755);
  return path;
}

function search(places: string[], download?: Search['download']): Search {
  const version = (path: string) => versionOf(path, ['version']);
  const base = { name: 'caddy', variable, minimum: '2.8', places: () => places, version } as const;
  return { ...base, install: ['brew install caddy'], ...(download ? { download } : {}) };
}

const quiet = () => {};

test('a program that is too old or broken is passed over for the next one', async () => {
  const broken = program('broken', '');
  const part = await find(search([broken, program('old', '2.6.2'), program('new', '2.11.7')]), quiet);
  expect(part).toEqual({ path: join(folder, 'new'), version: '2.11.7', from: 'path' });
});

test('the program that the environment names wins over all others', async () => {
  process.env[variable] = program('mine', '2.9.0');
  const part = await find(search([program('other', '2.11.7')]), quiet);
  expect(part).toMatchObject({ path: join(folder, 'mine'), from: 'environment' });
});

test('a program that the environment names but that does not work is an error, not a reason to take another', async () => {
  process.env[variable] = join(folder, 'missing');
  await expect(find(search([program('other', '2.11.7')]), quiet)).rejects.toThrow(/missing.*ENOENT/s);
});

test('what no place has is downloaded once, then found in the cache', async () => {
  let fetched = 0;
  const fetch = async () => {
    fetched += 1;
    program('cache/caddy', '2.11.7');
  };
  const wanted = search([], { path: join(folder, 'cache/caddy'), what: 'Caddy', fetch });
  const said: string[] = [];
  expect((await find(wanted, (text) => said.push(text))).from).toBe('downloaded');
  expect((await find(wanted, (text) => said.push(text))).from).toBe('cache');
  expect(fetched).toBe(1);
  expect(said).toEqual(['caddy: getting Caddy']);
});

test('when nothing helps, the error names every place tried and the commands that install it', async () => {
  const download = { path: join(folder, 'no'), what: 'Caddy', fetch: () => Promise.reject(new Error('no network')) };
  const error = await find(search([program('old', '2.6.2')], download), quiet).catch((caught) => caught);
  expect(error).toBeInstanceOf(PartNotFound);
  for (const words of ['2.6.2 is older than 2.8', 'no network', 'brew install caddy', variable]) {
    expect(error.message).toContain(words);
  }
});

const programs = [
  ...(['temporal', 'postgres', 'caddy', 'dbmate'] as const),
  ...(['nginx', 'haproxy', 'traefik', 'prometheus', 'compose', 'registry'] as const),
];

test('the real programs are found, and found again', async () => {
  for (const name of programs) {
    const [first, second] = await Promise.all([findPart(name), findPart(name)]);
    expect(first.version).toMatch(/^\d+\.\d+/);
    expect(second).toEqual(first);
  }
});

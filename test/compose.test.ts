import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { findPart } from '../parts/index.ts';
import { searchAttributeNames } from '../workflows/messages.ts';

interface Service {
  image: string;
  restart: string;
  ports?: string[];
  volumes?: string[];
  environment: Record<string, string | number>;
}

const root = join(import.meta.dirname, '..');
const compose = parse(readFileSync(join(root, 'docker-compose.temporal.yml'), 'utf8'));
const services: Record<string, Service> = compose.services;

describe('the durable Temporal server', () => {
  test('is reachable from this machine only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('runs pinned images', () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/:\d[\d.]*$/);
  });

  test('keeps its data on a named volume, and comes back after a reboot', () => {
    const [volume] = services.database!.volumes![0]!.split(':');
    expect(Object.keys(compose.volumes)).toContain(volume);
    for (const name of ['database', 'server', 'ui']) expect(services[name]!.restart).toBe('unless-stopped');
  });

  test('has no default password', () => {
    for (const [name, variable] of [
      ['database', 'POSTGRES_PASSWORD'],
      ['schema', 'SQL_PASSWORD'],
      ['server', 'POSTGRES_PWD'],
    ] as const) {
      expect(services[name]!.environment[variable]).toMatch(/^\$\{TEMPORAL_DB_PASSWORD:\?/);
    }
  });

  test('keeps 90 days of history, and knows the search attributes that Holdpoint writes', () => {
    const { RETENTION, SEARCH_ATTRIBUTES } = services.namespace!.environment;
    expect(RETENTION).toBe('90d');
    expect(String(SEARCH_ATTRIBUTES).split(' ')).toEqual(searchAttributeNames);
  });

  test('mounts only files that are there', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    const files = mounts.map((mount) => mount.split(':')[0]!).filter((source) => source.startsWith('./'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
  });
});

describe('compose/set-up-namespace.sh', () => {
  let bin: string;
  beforeEach(async () => {
    bin = mkdtempSync(join(tmpdir(), 'holdpoint-test-compose-'));
    symlinkSync((await findPart('temporal')).path, join(bin, 'temporal'));
  });
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  test('gives a namespace its retention and search attributes, and may run again', () => {
    const address = { TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: 'compose-test' };
    const env = { ...process.env, ...services.namespace!.environment, ...address, PATH: `${bin}:${process.env.PATH}` };
    const setUp = () => execFileSync('sh', [join(root, 'compose/set-up-namespace.sh')], { env });
    const operator = (...args: string[]) =>
      execFileSync(join(bin, 'temporal'), ['operator', ...args], { env, encoding: 'utf8' });
    setUp();
    setUp();
    expect(operator('namespace', 'describe')).toMatch(/WorkflowExecutionRetentionTtl\s+2160h/);
    const attributes = operator('search-attribute', 'list');
    for (const name of searchAttributeNames) expect(attributes).toMatch(new RegExp(`${name}\\s+Keyword`));
  });
});

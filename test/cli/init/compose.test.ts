import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { environmentsDocument } from '../../../activities/environments/schema.ts';
import { writtenFor } from '../../../cli/init/written.ts';
import { runbookDocument } from '../../../cli/runbook/runbook-document.ts';
import { checkDocument, type DocumentKind } from '../../../configuration/check-document.ts';
import { holdpoint } from '../support/cli.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/compose', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const checked = <Schema extends DocumentKind['schema']>(text: string, kind: DocumentKind<Schema>) => {
  const { value, problems } = checkDocument(text, kind);
  expect(problems, text).toEqual([]);
  return value!;
};
/** What is written for a fixture, by the schemas that CLI and worker read it with. */
const written = (fixture: string, more: Partial<Parameters<typeof writtenFor>[2]> = {}) => {
  cpSync(join(fixtures, fixture), folder, { recursive: true });
  const made = writtenFor(folder, '/state', { file: 'holdpoint.yaml', ...more });
  const runbook = checked(made.runbook, runbookDocument);
  const { local } = checked(made.environments, environmentsDocument).environments;
  return { made, runbook, targets: local!.targets };
};
const proxied = ['nginx', 'haproxy', 'caddy', 'traefik'] as const;

describe('of a Compose project with a proxy', () => {
  test('the service behind it is deployed beside the running one, whose port it keeps', () => {
    const { runbook, targets } = written('behind-nginx');
    expect(runbook).toMatchObject({
      service: 'shop',
      prepare: { artifact: { image: 'registry.example.com/team/shop' } },
      rollout: { on: 'server', ready: 'healthcheck', strategy: 'blue-green' },
    });
    expect(targets.server).toMatchObject({
      instances: { compose: { folder, service: 'server', port: 8080 } },
      ports: { blue: 4001, green: 4002 },
      traffic: { nginx: { front: 'http://127.0.0.1:8000' } },
    });
  });

  test('the traffic stays where it is while the proxy takes its configuration up', () => {
    const { made } = written('behind-nginx');
    const commands = made.proxySteps.map(([command]) => command);
    const seed = commands.findIndex((command) => command.includes('buckets/blue/{00..99}'));
    const up = commands.findIndex((command) => command.includes('docker compose up --detach proxy'));
    expect(seed).toBeGreaterThan(0);
    expect(up).toBeGreaterThan(seed);
  });

  test('what publishes no port is left out, by name', () => {
    expect(written('behind-nginx').made.runbook).toContain('Not deployed: client publishes no port');
  });
});

describe('of a Compose project without one', () => {
  test('the only strategy is recreate, with its outage said', () => {
    const { made, runbook, targets } = written('alone');
    expect(runbook.rollout).toMatchObject({ on: 'app', strategy: 'recreate', ready: 'GET /healthz' });
    expect(made.runbook).toContain('That is an outage');
    expect(targets.app).toMatchObject({ ports: { blue: 3000 } });
    expect(targets.app).not.toHaveProperty('traffic');
  });

  test('an image that is built there is built by the deploy, and pushed nowhere where it has no registry', () => {
    const { artifact } = written('alone').runbook.prepare;
    expect(artifact).toMatchObject({ build: { context: '.', dockerfile: 'Dockerfile', push: false } });
  });

  test.each(proxied)('%s is put in front when it is asked for', (proxy) => {
    const { made, runbook, targets } = written('alone', { proxy });
    expect(runbook.rollout.strategy).toBe('blue-green');
    expect(targets.app!.ports).toEqual({ blue: 3000, green: 3001 });
    expect(Object.keys(targets.app!.traffic as object)).toEqual([proxy]);
    // The front door that environments.yaml says.
    expect(made.proxyFiles[0]!.text).toContain('8080');
  });
});

test('services whose images differ by their names alone are renewed one after the other', () => {
  const { runbook, targets } = written('two-services');
  expect(runbook.prepare.artifact).toEqual({ image: 'registry.example.com/shop-{target}' });
  expect(runbook.rollout.on).toEqual([{ target: 'api', strategy: 'recreate' }, 'web']);
  expect(targets).toMatchObject({ api: { ports: { blue: 4101 } }, web: { ports: { blue: 4001, green: 4002 } } });
  expect(targets.api).not.toHaveProperty('traffic');
});

test('a file for blue and one for green are a project a slot', () => {
  const { targets } = written('blue-and-green');
  const project = (slot: string) => ({
    folder,
    files: [join(folder, `docker-compose.${slot}.yml`)],
    project: `shop-${slot}`,
  });
  expect(targets.app).toMatchObject({
    instances: { compose: { service: 'app', projects: { blue: project('blue'), green: project('green') } } },
    ports: { blue: 5001, green: 5002 },
    traffic: { haproxy: {} },
  });
});

test('values of .env are in none of the files', () => {
  const { made } = written('behind-nginx');
  const all = [made.runbook, made.environments, ...made.proxyFiles.map(({ text }) => text)].join('\n');
  expect(readFileSync(join(folder, '.env'), 'utf8')).toContain('pa55word');
  expect(all).not.toContain('pa55word');
});

test('a compose file with an error is named, and nothing is written', async () => {
  writeFileSync(join(folder, 'compose.yaml'), 'services: [app]\n');
  const { code, stderr } = await holdpoint(['init', '-f', join(folder, 'holdpoint.yaml')]);
  expect(code).toBe(2);
  expect(stderr).toContain('compose.yaml cannot be read as a compose file: services');
  expect(readdirSync(folder)).toEqual(['compose.yaml']);
});

test.each(proxied)("init --proxy %s writes that proxy's configuration also for plain processes", async (proxy) => {
  const ended = await holdpoint(['init', '-f', join(folder, 'holdpoint.yaml'), '--proxy', proxy]);
  expect(ended).toMatchObject({ code: 0 });
  const { local } = checked(readFileSync(join(folder, 'environments.yaml'), 'utf8'), environmentsDocument).environments;
  expect(Object.keys(local!.targets.web!.traffic as object)).toEqual([proxy]);
  expect(existsSync(join(folder, 'Caddyfile'))).toBe(proxy === 'caddy');
});

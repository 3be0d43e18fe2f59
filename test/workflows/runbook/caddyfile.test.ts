import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findPart } from '../../../parts/index.ts';
import { caddyfile } from '../../../workflows/runbook/caddyfile.ts';

/** Where Caddy would listen, and the host names that it would serve there. */
async function adapted(front: string) {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-caddyfile-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const admin = 'http://127.0.0.1:2019';
  const upstreams = { blue: '127.0.0.1:4101', green: '127.0.0.1:4102' };
  const config = { front, admin, log: join(folder, 'my logs/a.log'), folder, upstreams };
  writeFileSync(join(folder, 'Caddyfile'), caddyfile(config));
  const { path } = await findPart('caddy');
  const json = execFileSync(path, ['adapt', '--validate', '--config', join(folder, 'Caddyfile')], {
    encoding: 'utf8',
    env: { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = JSON.parse(json).apps.http.servers.srv0;
  return { listen: server.listen, hosts: server.routes[0].match[0].host };
}

test.for([
  ['http://127.0.0.1:8080', ['127.0.0.1:8080'], undefined],
  ['http://0.0.0.0', ['0.0.0.0:80'], undefined],
  ['http://[::1]:8080', ['[::1]:8080'], undefined],
  ['http://localhost:8080', ['127.0.0.1:8080', '[::1]:8080'], undefined],
  ['http://shop.example.com:8080', [':8080'], ['shop.example.com']],
] as const)('Caddy accepts the Caddyfile for %s, and listens there', async ([front, listen, hosts]) => {
  expect(await adapted(front)).toEqual({ listen, hosts });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort, isListening } from '../../parts/ports.ts';
import type { Foreground } from '../support/foreground.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { startNginx } from '../support/nginx.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { startTraefik } from '../support/traefik.ts';

let folder: string;
let port: number;
let running: Foreground | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-proxies-'));
  port = await freePort();
});
afterEach(async () => {
  await running?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const nginx = (says: string) =>
  `events {}\nhttp { access_log off; server { listen 127.0.0.1:${port}; return 200 "${says}"; } }\n`;
const haproxy = (says: string) => `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ${says}
`;
// A connection of its own: one that was kept may be closed by the reload just as it is used again.
const answer = async () => (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

for (const [name, start, says] of [
  ['nginx', startNginx, nginx],
  ['haproxy', startHaproxy, haproxy],
] as const) {
  test(`${name} serves a new configuration after a reload, and the old one after a wrong one`, async () => {
    const proxy = await start({ configuration: says('one'), folder });
    running = proxy;
    expect(await answer()).toBe('one');
    for (const word of ['two', 'three']) {
      await proxy.reload(says(word));
      // HAProxy's worker before accepts for a moment longer.
      await expect.poll(answer).toBe(word);
    }
    await expect(proxy.reload('nonsense;\n')).rejects.toThrow(/nonsense/);
    expect(await answer()).toBe('three');
  });

  test(`${name} is gone with all its processes when killed, and starts again as it was`, async () => {
    const proxy = await start({ configuration: says('one'), folder });
    running = proxy;
    const { pid } = proxy;
    await proxy.kill();
    await proxy.kill();
    expect(await isListening(port)).toBe(false);
    await proxy.startAgain();
    expect(proxy.pid).not.toBe(pid);
    expect(await answer()).toBe('one');
    await proxy.reload(says('two'));
    await expect.poll(answer).toBe('two');
    await proxy.stop();
    expect(await isListening(port)).toBe(false);
  });
}

test("nginx's file names its process", async () => {
  const started = await startNginx({ configuration: nginx('one'), folder });
  running = started;
  expect(Number(readFileSync(started.pidFile, 'utf8'))).toBe(started.pid);
});

test('traefik takes up a changed file by itself', async () => {
  const routes = join(folder, 'routes.yaml');
  const redirect = (to: string) => `http:
  routers: { all: { rule: PathPrefix(\`/\`), service: noop@internal, middlewares: [there] } }
  middlewares: { there: { redirectRegex: { regex: .*, replacement: "http://127.0.0.1/${to}" } } }
`;
  writeFileSync(routes, redirect('one'));
  running = await startTraefik({
    configuration: `entryPoints: { web: { address: "127.0.0.1:${port}" } }\nproviders: { providersThrottleDuration: 50ms, file: { filename: ${routes} } }\n`,
    folder,
  });
  const location = async () =>
    (await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' })).headers.get('location');
  while ((await location()) !== 'http://127.0.0.1/one') await sleep(20);
  writeFileSync(routes, redirect('two'));
  while ((await location()) !== 'http://127.0.0.1/two') await sleep(20);
});

test('prometheus takes up a new configuration, and says what is wrong with one', async () => {
  const prometheus = await startPrometheus({ configuration: 'global: { scrape_interval: 1s }\n', folder });
  running = prometheus;
  const interval = async () => (await fetch(`${prometheus.url}/api/v1/status/config`)).text();
  expect(await interval()).toContain('scrape_interval: 1s');
  await prometheus.reload('global: { scrape_interval: 2s }\n');
  expect(await interval()).toContain('scrape_interval: 2s');
  await expect(prometheus.reload('global: { nonsense: 2s }\n')).rejects.toThrow(/nonsense/);
});

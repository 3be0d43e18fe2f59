import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { drain } from '../../../activities/traffic/drain.ts';
import { findPart } from '../../../parts/index.ts';
import { freePort } from '../../../parts/ports.ts';
import { nginxConf } from '../../../workflows/runbook/nginx-conf.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { trafficPort } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';

// Both this test and Holdpoint ask the engine by the machine's own `docker` command.
process.env.DOCKER_HOST = inject('dockerHost');
/** This machine's programs, so that no image has to be fetched. */
const programs = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc/passwd', '/etc/group'].filter(existsSync);

let folder: string;
let name: string;
let slots: ProxySlots;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-nginx-container-'));
  name = basename(folder).toLowerCase();
});
afterEach(async () => {
  await slots?.stop();
  // Whatever of them the test came to make.
  for (const made of [['rm', '--force'], ['network', 'rm'], ['rmi']]) spawnSync('docker', [...made, name]);
  rmSync(folder, { recursive: true, force: true });
});

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', input: '', stdio: 'pipe' }).trim();
}

async function startNginx(configuration: string, port: number): Promise<void> {
  const file = join(folder, 'nginx.conf');
  const { path } = await findPart('nginx');
  const empty = execFileSync('tar', ['-c', '-T', '/dev/null']);
  execFileSync('docker', ['import', '-', name], { input: empty, stdio: 'pipe' });
  writeFileSync(file, `daemon off;\nuser root;\npid ${folder}/pid;\nevents {}\nhttp {\n${configuration}\n}\n`);
  const mounts = [folder, ...programs].flatMap((path) => ['-v', `${path}:${path}${path === folder ? '' : ':ro'}`]);
  const own = ['--tmpfs', '/var/lib/nginx', '--tmpfs', '/var/log/nginx', '-e', 'PATH=/usr/bin'];
  const at = ['--name', name, '--network', name, '-p', `127.0.0.1:${port}:${port}`];
  docker('run', '-d', ...at, ...own, ...mounts, name, path, '-p', folder, '-e', 'stderr', '-c', file);
  // The engine takes connections before nginx does.
  while ((await askFront(`http://127.0.0.1:${port}`)).outcome !== '503') {
    if (docker('inspect', '--format', '{{.State.Running}}', name) === 'false') throw new Error(docker('logs', name));
    await sleep(20);
  }
}

test('nginx in a container with its own network switches, is drained and loses nothing', async () => {
  docker('network', 'create', name);
  const reach = docker('network', 'inspect', name, '--format', '{{(index .IPAM.Config 0).Gateway}}');
  slots = await startSlots(['blue', 'green'], reach);
  const port = await freePort();
  const front = `http://127.0.0.1:${port}`;
  const options = { front, log: join(folder, 'access.log'), folder: join(folder, 'buckets'), reach };
  const shown = nginxConf({ ...options, sticky: undefined, upstreams: upstreamsAt(reach, slots.ports) });
  await startNginx(shown.replace(`listen 127.0.0.1:${port}`, `listen ${port}`), port);
  const input = { folder, ports: slots.ports, configured: true };
  const traffic = trafficPort('nginx', { ...options, container: name }, input);
  expect(await traffic.missing()).toEqual([]);
  await traffic.setWeights({ blue: 1, green: 0 });
  const load = startLoad(front, { kept: 5, fresh: 2 });
  let ended = false;
  const slow = askFront(`${front}/?ms=1500`).finally(() => {
    ended = true;
  });
  while ((await traffic.inFlight('blue')) === 0) await sleep(20);
  await traffic.setWeights({ blue: 0, green: 1 });
  await drain({ traffic, slot: 'blue', drainMs: 30_000, signal: new AbortController().signal });
  expect(ended).toBe(true);
  expect((await slow).slot).toBe('blue');
  expect((await load.stop()).lost).toEqual([]);
});

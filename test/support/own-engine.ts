import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { findPart } from '../../parts/index.ts';
import { engine } from './docker-engine.ts';
import { clientOf } from './engine-server.ts';
import { type Foreground, startForeground } from './foreground.ts';

export interface OwnEngine extends Foreground {
  /** As `DOCKER_HOST` holds it. */
  host: string;
  docker: Docker;
  /** Copies an image of the shared engine. */
  load(reference: string): Promise<void>;
  /** Ends it, and removes everything that it had. */
  close(): Promise<void>;
}

/**
 * A Docker engine of the test's own, which may be killed: with a bridge, folders and a containerd of its own it touches
 * nothing of the shared one (`--bridge=none` would: such an engine removes docker0). Needs root.
 */
export async function startOwnEngine(): Promise<OwnEngine> {
  const { path } = await findPart('docker');
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-engine-'));
  const bridge = `hp${process.pid}`;
  const place = (name: string) => join(folder, name);
  const host = `unix://${place('docker.sock')}`;
  const docker = clientOf(host);
  // The kernel lends every process's id once at a time, and so each test's network is its own.
  const network = `10.${200 + (process.pid % 16)}.${(process.pid >> 4) % 256}.1/24`;
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('address', 'add', network, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  mkdirSync(place('home'));
  const places = ['--data-root', place('data'), '--exec-root', place('exec'), '--pidfile', place('pid')];
  const running = await startForeground({
    command: [
      path,
      '--host',
      host,
      '--bridge',
      bridge,
      '--live-restore',
      '--iptables=false',
      '--ip-masq=false',
      ...places,
    ],
    log: place('log'),
    cwd: place('home'),
    ready: () =>
      docker.ping().then(
        () => true,
        () => false,
      ),
  });
  const { startAgain } = running;
  return Object.assign(running, {
    host,
    docker,
    async startAgain() {
      // Where the first process of all reaps nobody, a containerd that was killed with it still has its id.
      rmSync(place('exec/containerd/containerd.pid'), { force: true });
      await startAgain();
    },
    async load(reference: string) {
      const image = await engine().getImage(reference).get();
      const progress = await docker.loadImage(image);
      await new Promise((resolve) => progress.resume().on('end', resolve));
    },
    async close() {
      for (const { Id } of await docker.listContainers({ all: true })) {
        await docker.getContainer(Id).remove({ force: true, v: true });
      }
      await running.stop();
      unmountBelow(folder);
      ip('link', 'delete', bridge);
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  });
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

/** What an engine that was killed has left mounted. */
function unmountBelow(folder: string): void {
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const path of mounted
    .filter((one) => one.startsWith(`${folder}/`))
    .sort()
    .reverse())
    execFileSync('umount', [path]);
}

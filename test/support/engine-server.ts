import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { endTogether } from '../../parts/end-together.ts';
import { findPart } from '../../parts/index.ts';
import type { OnProgress } from '../../parts/part.ts';
import { lastLines } from '../../parts/processes.ts';

export interface EngineServer {
  /** As `DOCKER_HOST` holds it. */
  host: string;
  /** Ends the engine if it was started here, with everything in it. May run twice. */
  stop(): Promise<void>;
}

/** A client of the engine at `unix:///…` or `tcp://…`. */
export function clientOf(host: string): Docker {
  const { protocol, pathname, hostname, port } = new URL(host);
  return protocol === 'unix:' ? new Docker({ socketPath: pathname }) : new Docker({ host: hostname, port });
}

/**
 * The engine of this machine, or else one that is started for this process and ends with it, however that ends.
 * Throws what to do where neither can be.
 */
export async function openEngine(onProgress: OnProgress): Promise<EngineServer> {
  const host = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock';
  if (await answers(host)) return { host, stop: async () => {} };
  if (process.env.DOCKER_HOST)
    throw new Error(`No Docker engine answers at DOCKER_HOST=${host}. Start it, or unset it.`);
  if (process.getuid?.() !== 0) throw new Error(`No Docker engine answers at ${host}. Start one: sudo dockerd`);
  const { path } = await findPart('docker', onProgress);
  return startEngine(path);
}

/** Starts an engine with everything it has in a temporary folder, which goes with it. */
async function startEngine(dockerd: string): Promise<EngineServer> {
  // Where it may not write the kernel's rules, published ports still work by its own proxy processes.
  const attempts = [[], ['--iptables=false', '--ip6tables=false']];
  const said: string[] = [];
  for (const more of attempts) {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-docker-'));
    const engine = await launch(dockerd, folder, more);
    if (engine) return engine;
    said.push(lastLines(join(folder, 'log'), 2));
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(
    'No Docker engine answers at /var/run/docker.sock, and none can be started here. ' +
      `Start one that works, or name one by DOCKER_HOST. dockerd said:\n${said.join('\n')}`,
  );
}

/** null where it ends before it answers. */
async function launch(dockerd: string, folder: string, more: string[]): Promise<EngineServer | null> {
  const own = join(folder, 'engine');
  mkdirSync(own);
  const host = `unix://${join(own, 'docker.sock')}`;
  const places = ['--data-root', join(own, 'data'), '--exec-root', join(own, 'exec'), '--pidfile', join(own, 'pid')];
  const args = ['-c', keep, 'sh', folder, dockerd, '--host', host, ...places, ...more];
  const keeper = spawn('sh', args, { detached: true, stdio: 'ignore' });
  const gone = once(keeper, 'exit');
  const callOff = endTogether(keeper.pid!, folder, 'TERM');
  while (keeper.exitCode === null) {
    if (await answers(host)) return { host, stop: end };
    await sleep(50);
  }
  callOff();
  return null;

  async function end(): Promise<void> {
    if (keeper.exitCode === null) {
      keeper.kill('SIGTERM');
      await gone;
    }
    callOff();
  }
}

/** Runs the engine to its end, then removes what it has; the log stays where nobody asked it to end. */
const keep = `
folder=$1; shift
"$@" >"$folder/log" 2>&1 & engine=$!
trap 'asked=yes; kill "$engine"' TERM
while kill -0 "$engine" 2>/dev/null; do wait "$engine"; done
cut -d ' ' -f 2 /proc/mounts | grep -F -- "$folder/" | sort -r | xargs -r umount
rm -rf "$folder/engine"
if [ "$asked" ]; then rm -rf "$folder"; fi
`;

async function answers(host: string): Promise<boolean> {
  const patience = sleep(5_000, false, { ref: false });
  const ping = clientOf(host)
    .ping()
    .then(
      () => true,
      () => false,
    );
  return Promise.race([ping, patience]);
}

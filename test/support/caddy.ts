import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPart } from '../../parts/index.ts';
import { isListening } from '../../parts/ports.ts';

export interface RunningCaddy {
  pid: number;
  /** The orderly end: requests under way are answered. May run twice. */
  stop(): Promise<void>;
  /** SIGKILL. May run twice. */
  kill(): Promise<void>;
}

/**
 * Runs the real Caddy on this configuration text, with everything it writes inside `folder`; returns once it
 * listens on every port that the configuration names. Throws what Caddy says about a wrong one.
 */
export async function startCaddy({ caddyfile, folder }: { caddyfile: string; folder: string }): Promise<RunningCaddy> {
  const { path } = await findPart('caddy');
  const config = join(folder, 'Caddyfile');
  writeFileSync(config, caddyfile);
  const wanted = ports(path, config);
  const child = run(path, config, folder);
  const end = (signal: NodeJS.Signals) => async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  const endWithThisProcess = () => child.kill('SIGKILL');
  process.once('exit', endWithThisProcess);
  child.once('exit', () => process.off('exit', endWithThisProcess));
  await untilListening(child, wanted, folder);
  return { pid: child.pid!, stop: end('SIGTERM'), kill: end('SIGKILL') };
}

function run(caddy: string, config: string, folder: string): ChildProcess {
  const log = openSync(logFile(folder), 'a');
  try {
    const args = ['run', '--config', config, '--adapter', 'caddyfile'];
    return spawn(caddy, args, { cwd: folder, env: environment(folder), stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

/** The admin API is a socket in the folder, since its usual port would be the same for all. */
function environment(folder: string): NodeJS.ProcessEnv {
  const own = { HOME: folder, XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config') };
  return { ...process.env, ...own, CADDY_ADMIN: `unix/${join(folder, 'admin.sock')}` };
}

/** Every port that the configuration listens on. */
function ports(caddy: string, config: string): number[] {
  const args = ['adapt', '--config', config, '--adapter', 'caddyfile'];
  const json = execFileSync(caddy, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const servers: { listen: string[] }[] = Object.values(JSON.parse(json).apps?.http?.servers ?? {});
  return servers.flatMap(({ listen }) => listen.map((address) => Number(address.split(':').at(-1))));
}

async function untilListening(child: ChildProcess, wanted: number[], folder: string): Promise<void> {
  for (const port of wanted) {
    while (!(await isListening(port))) {
      if (child.exitCode !== null) throw new Error(`Caddy ended:\n${readFileSync(logFile(folder), 'utf8')}`);
      await sleep(10);
    }
  }
}

function logFile(folder: string): string {
  return join(folder, 'caddy.log');
}

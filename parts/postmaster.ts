import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from './postgres-user.ts';
import { isRunning } from './processes.ts';

/** PostgreSQL's first process, as its own file in the data folder tells. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Whether it takes connections; before that it starts or recovers. */
  ready: boolean;
}

/** The one that runs on this data folder now, or null. */
export function postmasterOf(data: string): Postmaster | null {
  const [pid, , , port, , , , status] = lines(join(data, 'postmaster.pid'));
  if (!pid || !isRunning(Number(pid), data)) return null;
  return { pid: Number(pid), port: Number(port), ready: status?.trim() === 'ready' };
}

/**
 * Starts one in a session of its own: it outlives this process, and Ctrl-C in the terminal does not reach it.
 * Its file `postmaster.pid` keeps a second one off the same data. The answer tells whether it has exited.
 */
export function spawnPostmaster(bin: string, data: string, port: number, log: string, user?: User) {
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=', // their paths may be 100 bytes long, which a temporary folder may exceed
    'fsync=off', // what was committed survives a killed process all the same; only a power cut loses it
  ];
  const output = openSync(log, 'a', 0o600);
  try {
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const child = spawn(join(bin, 'postgres'), args, {
      ...user,
      cwd: '/',
      detached: true,
      stdio: ['ignore', output, output],
    });
    child.unref();
    let exited = false;
    for (const event of ['error', 'exit']) {
      child.once(event, () => {
        exited = true;
      });
    }
    return () => exited;
  } finally {
    closeSync(output);
  }
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPart } from '../../parts/index.ts';
import { writeChecked } from './checked-configuration.ts';
import { type Foreground, listens, startForeground } from './foreground.ts';

export interface RunningHaproxy extends Foreground {
  /** Path of the configuration's file. */
  readonly file: string;
  /**
   * Takes up the configuration, a new one where given; returns once a new worker serves, beside which the one before may
   * for a moment. What was set by the
   * runtime API is gone then. Throws what HAProxy says about a wrong one, and serves on as before.
   */
  reload(configuration?: string): Promise<void>;
}

/**
 * Runs the real HAProxy, a master with a worker, on this configuration text; returns once it listens on every port
 * and stats socket that the text names. The socket's path may be 90 bytes long.
 */
export async function startHaproxy(input: { configuration: string; folder: string }): Promise<RunningHaproxy> {
  const { path } = await findPart('haproxy');
  const file = join(input.folder, 'haproxy.cfg');
  const log = join(input.folder, 'haproxy.log');
  const configure = (text: string) => writeChecked(file, text, [path, '-c', '-f', file]);

  configure(input.configuration);
  const running = await startForeground({
    command: [path, '-W', '-f', file],
    log,
    cwd: input.folder,
    ready: listens(ports(input.configuration), sockets(input.configuration)),
  });
  const reload = async (text?: string) => {
    configure(text ?? readFileSync(file, 'utf8'));
    const loaded = timesLoaded(log);
    process.kill(running.pid, 'SIGUSR2');
    while (timesLoaded(log) === loaded) await sleep(10);
  };
  return Object.assign(running, { file, reload });
}

function timesLoaded(log: string): number {
  return readFileSync(log, 'utf8').split('Loading success.').length - 1;
}

function ports(configuration: string): number[] {
  return [...configuration.matchAll(/^\s*bind\s+\S*:(\d+)/gm)].map(([, port]) => Number(port));
}

function sockets(configuration: string): string[] {
  return [...configuration.matchAll(/^\s*stats socket\s+(\/\S+)/gm)].map(([, path]) => path!);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPart } from '../../parts/index.ts';
import { isRunning } from '../../parts/processes.ts';
import { writeChecked } from './checked-configuration.ts';
import { type Foreground, listens, startForeground } from './foreground.ts';

export interface RunningNginx extends Foreground {
  /** Path of the configuration's file. */
  readonly file: string;
  /** Path of the file that holds the master's process id. */
  readonly pidFile: string;
  /**
   * Takes up the configuration, a new one where given; returns once new workers serve and the old ones accept
   * nothing more. Throws what nginx says about a wrong one, and serves on as before.
   */
  reload(configuration?: string): Promise<void>;
}

/**
 * Runs the real nginx on this configuration text (with `events {}` and `http {…}`, without `daemon`, `user` and
 * `pid`), with everything it writes inside `folder`; returns once it listens on every port that the text names.
 * As root its workers are root too, so that they can read the folders of a test.
 */
export async function startNginx(input: { configuration: string; folder: string }): Promise<RunningNginx> {
  const { path } = await findPart('nginx');
  const [file, pidFile, log] = ['nginx.conf', 'nginx.pid', 'nginx.log'].map((name) =>
    join(input.folder, name),
  ) as Three;
  const own = ['daemon off', `pid ${pidFile}`, 'error_log stderr notice'];
  if (process.getuid?.() === 0) own.push('user root');
  const main = own.map((directive) => `${directive};`).join(' ');
  const command = [path, '-p', input.folder, '-c', file, '-e', 'stderr', '-g', main];
  const configure = (text: string) => writeChecked(file, text, [...command, '-t', '-q']);

  configure(input.configuration);
  const ready = listens(ports(input.configuration));
  const running = await startForeground({ command, log, cwd: input.folder, ready });
  const reload = async (text?: string) => {
    configure(text ?? readFileSync(file, 'utf8'));
    const workers = pidsIn(log).filter(isAccepting);
    process.kill(running.pid, 'SIGHUP');
    while (workers.some(isAccepting)) await sleep(10);
  };
  return Object.assign(running, { file, pidFile, reload });
}

type Three = [string, string, string];

/** Every worker that was ever started. */
function pidsIn(log: string): number[] {
  return [...readFileSync(log, 'utf8').matchAll(/: start worker process (\d+)/g)].map(([, pid]) => Number(pid));
}

/** As a worker's title tells: an old one that still answers requests has another. */
function isAccepting(pid: number): boolean {
  return isRunning(pid, 'nginx: worker process') && !isRunning(pid, 'is shutting down');
}

function ports(configuration: string): number[] {
  return [...configuration.matchAll(/\blisten\s+(?:[\d.]+:)?(\d+)/g)].map(([, port]) => Number(port));
}

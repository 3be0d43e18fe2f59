import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

export interface SpawnOptions {
  bin: string;
  port: number;
  uiPort: number | null;
  httpPort?: number;
  searchAttributes: readonly string[];
}

/**
 * As it comes, the dev server looks for new tasks at most 20 times a second, so each step of a run costs 49 ms,
 * and syncs its file at every commit. With these a step costs 15 ms. What is acknowledged still survives a
 * killed process; only a power cut may lose the last of it.
 */
const speed = [
  ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
  ...['--dynamic-config-value', 'history.timerProcessorMaxPollRPS=2000'],
  // The shortest timers, which carry what people said into the timeline, fire at once instead of within a second.
  ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="1ms"'],
  ...['--sqlite-pragma', 'journal_mode=wal'],
  ...['--sqlite-pragma', 'synchronous=normal'],
];

/** Spawns the server in a session of its own and gives its process id. Throws when the program cannot be run. */
export async function spawnDevServer(options: SpawnOptions, database: string, log: string): Promise<number> {
  const output = openSync(log, 'a');
  try {
    const args = devServerArgs(options, database);
    const child = spawn(options.bin, args, { detached: true, stdio: ['ignore', output, output] });
    await once(child, 'spawn');
    child.unref();
    return child.pid!;
  } finally {
    closeSync(output);
  }
}

function devServerArgs({ port, uiPort, httpPort, searchAttributes }: SpawnOptions, database: string): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
    ...['--db-filename', database, '--log-level', 'error', ...speed],
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
    ...(httpPort === undefined ? [] : ['--http-port', String(httpPort)]),
    ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

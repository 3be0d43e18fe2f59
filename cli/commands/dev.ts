import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateHome } from '../../configuration/state-home.ts';
import type { DevServer } from '../../parts/temporal-server.ts';
import { defaultTaskQueue, searchAttributeNames } from '../../workflows/messages.ts';
import { type DevState, readDevState, removeDevState, writeDevState } from '../dev-state.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { taskQueueOf } from '../options.ts';
import { Problem } from '../problem.ts';
import { paintFor } from '../render/text.ts';
import { findAddress } from '../temporal/address.ts';
import { complain, print } from '../terminal.ts';
import { environmentsFile, work } from './worker.ts';

export interface DevOptions {
  port: number;
  uiPort: number;
  taskQueue?: string;
  environments?: string;
}

/** Temporal's dev server with its UI, and a worker, until Ctrl-C stops both. Runs survive in the state folder. */
export async function dev(options: DevOptions): Promise<ExitCode> {
  refuseSecond();
  const release = exitOnInterrupt();
  const start = await devServer(options);
  const server = await start();
  release();
  const state = {
    pid: process.pid,
    address: server.address,
    namespace: 'default',
    ui: server.uiUrl ?? '',
    startedAt: Date.now(),
  };
  writeDevState(state);
  const elsewhere = findAddress({}).address !== server.address;
  onlyHere(state);
  const keeper = keepAlive(start, server);
  try {
    say(server, options, elsewhere);
    await work(state, taskQueueOf(options, defaultTaskQueue), environmentsFile(options.environments));
  } finally {
    removeDevState();
    await keeper.stop();
  }
  complain('Stopped. Runs that were open go on at the next `holdpoint dev`.');
  return exitCodes.succeeded;
}

function refuseSecond(): void {
  const running = readDevState();
  if (!running) return;
  throw new Problem(
    exitCodes.usage,
    `holdpoint dev runs already: process ${running.pid}, Temporal ${running.address}.`,
    [`Its UI: ${running.ui}`, `Stop it: kill ${running.pid}`],
  );
}

/** Starts the server, or finds the one that a killed `holdpoint dev` left behind. */
async function devServer({ port, uiPort }: DevOptions): Promise<() => Promise<DevServer>> {
  const { findPart } = await import('../../parts/index.ts');
  const { startDevServer } = await import('../../parts/temporal-server.ts');
  const { path: bin } = await findPart('temporal', (line) => complain(line));
  const folder = join(stateHome(), 'temporal');
  return () => startDevServer({ folder, port, uiPort, bin, searchAttributes: searchAttributeNames });
}

/** A profile of the user's own, with its certificates and keys, must not reach the worker of this server. */
function onlyHere({ address, namespace }: DevState): void {
  const file = join(stateHome(), 'temporal.toml');
  writeFileSync(file, `[profile.default]\naddress = "${address}"\nnamespace = "${namespace}"\n`);
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  process.env.TEMPORAL_CONFIG_FILE = file;
}

/** A server that dies is started again on the same database: a run only loses the time. */
function keepAlive(start: () => Promise<DevServer>, first: DevServer): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let server = first;
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(500, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted || isAlive(server.pid)) continue;
      complain('The Temporal dev server has ended; starting it again.');
      server = await start().catch((error: Error) => {
        complain(error.message);
        return server;
      });
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
      await server.stop();
    },
  };
}

function say(server: DevServer, options: DevOptions, elsewhere: boolean): void {
  const paint = paintFor(process.stdout);
  print(`${paint('green', '✓')} Temporal  ${server.address}`);
  print(`${paint('green', '✓')} UI        ${server.uiUrl}`);
  print(`${paint('green', '✓')} Worker    task queue ${taskQueueOf(options, defaultTaskQueue)}`);
  print(
    `\nNext, in another terminal:  ${paint('cyan', `holdpoint plan${elsewhere ? ` --address ${server.address}` : ''}`)}`,
  );
  print(paint('gray', 'Ctrl-C stops both; runs that are open go on at the next start.\n'));
}

/** Until the worker takes over the signals, Ctrl-C must still end the server that is being started. */
function exitOnInterrupt(): () => void {
  const exit = () => process.exit(exitCodes.detached);
  process.on('SIGINT', exit).on('SIGTERM', exit);
  return () => void process.off('SIGINT', exit).off('SIGTERM', exit);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

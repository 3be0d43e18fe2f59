import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endTogether } from './end-together.ts';
import { isListening, isPortFree } from './ports.ts';
import { endProcess, isRunning, lastLines } from './processes.ts';
import { type Note, readNote, writeNote } from './temporal-note.ts';
import { isServing, keepHistory } from './temporal-operator.ts';
import { spawnDevServer } from './temporal-spawn.ts';

export interface DevServerOptions {
  /** Holds the database, the log and notes about the running server; made when missing. */
  folder: string;
  port: number;
  /** null: without the web UI. */
  uiPort: number | null;
  /** The JSON API; a free one when left out. */
  httpPort?: number;
  /** The `temporal` program, as `findPart('temporal')` gives it. */
  bin: string;
  /** Names of keywords that runs may carry. */
  searchAttributes: readonly string[];
  /** Goes on when this process ends. Otherwise it is ended with it, except when this process is killed. */
  detached?: boolean;
}

export interface DevServer {
  /** For example `127.0.0.1:7233`. */
  address: string;
  /** null: without the web UI. */
  uiUrl: string | null;
  pid: number;
  /** Ends it; runs go on at the next start. May run twice. */
  stop(): Promise<void>;
}

const startPatience = 60_000;
const stopPatience = 10_000;
/** The ports of a server that was killed just now are closed a moment after it is gone. */
const portPatience = 2_000;

/**
 * Temporal's dev server on 127.0.0.1 with its database in `folder`, taking work when this returns. One that
 * already runs there is found again, on the ports it has. It has a session of its own, so Ctrl-C in the terminal
 * does not reach it. Throws when a port is taken, or with the last lines of its log. May run twice.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const folder = resolve(options.folder);
  const database = join(folder, 'temporal.db');
  mkdirSync(folder, { recursive: true });
  const found = readNote(folder, database);
  // One that was killed just now may still be found: its end shows a moment later.
  const note = found && (await serves(options.bin, found, database)) ? found : await launch(options, folder, database);
  const callOff = options.detached ? () => {} : endTogether(note.pid, database, 'TERM');
  if (!(await serves(options.bin, note, database))) throw notServing(note, folder, database);
  await keepHistory(options.bin, note.port);
  writeFileSync(completeMark(database), '');
  return {
    address: `127.0.0.1:${note.port}`,
    uiUrl: note.uiPort === null ? null : `http://127.0.0.1:${note.uiPort}`,
    pid: note.pid,
    stop: async () => {
      await endProcess(note.pid, database, 'SIGTERM', stopPatience);
      callOff();
    },
  };
}

async function launch(options: DevServerOptions, folder: string, database: string): Promise<Note> {
  await demandFree(options.port, 'Temporal');
  if (options.uiPort !== null) await demandFree(options.uiPort, "Temporal's web UI");
  discardIncomplete(database);
  const pid = await spawnDevServer(options, database, logFile(folder));
  const note = { pid, port: options.port, uiPort: options.uiPort };
  writeNote(folder, note);
  return note;
}

/**
 * The first start writes the schema for some 200 ms. Killed meanwhile, the server leaves a database that it can
 * never open again. So a mark beside the file says that a start has once been seen to succeed; a file without it
 * holds nothing yet that anybody could miss, and is made anew.
 */
function discardIncomplete(database: string): void {
  if (existsSync(completeMark(database))) return;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${database}${suffix}`, { force: true });
}

/** Waits for it to take work; false where it ends first, or takes too long. */
async function serves(bin: string, { pid, port }: Note, database: string): Promise<boolean> {
  const deadline = Date.now() + startPatience;
  while (isRunning(pid, database) && Date.now() < deadline) {
    if ((await isListening(port)) && (await isServing(bin, port))) return true;
    await sleep(20);
  }
  return false;
}

function notServing({ pid }: Note, folder: string, database: string): Error {
  const what = isRunning(pid, database) ? `is not serving after ${startPatience / 1000} s` : 'ended while starting';
  return new Error(`Temporal's dev server ${what}. The end of ${logFile(folder)}:\n${lastLines(logFile(folder))}`);
}

function completeMark(database: string): string {
  return `${database}.complete`;
}

function logFile(folder: string): string {
  return join(folder, 'temporal.log');
}

async function demandFree(port: number, whose: string): Promise<void> {
  const deadline = Date.now() + portPatience;
  while (Date.now() < deadline) {
    if (await isPortFree(port)) return;
    await sleep(50);
  }
  throw new Error(
    `Port ${port} of 127.0.0.1, meant for ${whose}, is taken by another program. ` +
      `Find it with \`lsof -i :${port}\` and end it, or choose another port.`,
  );
}

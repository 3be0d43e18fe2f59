/** This machine, where the worker itself runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { CommandResult, HostPort } from '../../workflows/ports.ts';
import { commandEnvironment } from '../commands/environment.ts';
import { isFolder, namesIn, readIfThere, writeWhole } from '../commands/files.ts';
import { processJobs } from '../commands/jobs.ts';
import { OutputTail } from '../commands/output.ts';
import { refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import type { HostContext } from './context.ts';
import { copyWhole, readRange, statIfThere } from './local-files.ts';

export const local: ProductKind<HostPort, HostContext> = {
  options: z.strictObject({}),
  create({ machine }) {
    if (machine === null) return createLocalHost();
    throw refuse(
      'WrongHost',
      `${machine.name} is another machine (${machine.connect}), and \`host: local\` is this one. Say \`host: { ssh: { … } }\`.`,
    );
  },
};

const graceMs = 2_000;
/** What a process left behind in the background prints later is not waited for. */
const lingerMs = 1_000;

export function createLocalHost(): HostPort {
  return {
    name: 'this machine',
    exec,
    read: readIfThere,
    readRange,
    stat: statIfThere,
    write: (path, content, mode = 0o600) => writeWhole(path, content, mode),
    upload: copyWhole,
    remove: (path) => rm(path, { force: true }),
    list: namesIn,
    connect,
    jobs: processJobs,
  };
}

/**
 * Runs argv in a group of its own with the worker's PATH, HOME and language beside `env`. When `signal` aborts, the
 * group gets SIGTERM, after 2 s SIGKILL, and the call rejects with the signal's reason. Throws `NoSuchFolder` and
 * `NoSuchCommand`.
 */
async function exec(command: string[], options: Parameters<HostPort['exec']>[1]): Promise<CommandResult> {
  const { cwd, signal } = options;
  const [file = '', ...args] = command;
  signal?.throwIfAborted();
  if (cwd !== undefined && !(await isFolder(cwd))) {
    throw refuse('NoSuchFolder', `${file} cannot run in ${cwd}: there is no such folder on this machine.`);
  }
  const child = spawn(file, args, {
    detached: true,
    env: commandEnvironment(options.env ?? {}),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  // Whoever does not read it to its end is free to.
  child.stdin?.on('error', () => {}).end(options.input);
  let ended: Promise<void> | null = null;
  const end = () => {
    ended = endGroup(child);
  };
  signal?.addEventListener('abort', end, { once: true });
  const result = await resultOf(child, file).finally(() => signal?.removeEventListener('abort', end));
  if (!ended) return result;
  await ended;
  throw signal?.reason;
}

async function resultOf(child: ChildProcess, file: string): Promise<CommandResult> {
  const stdout = new OutputTail();
  const stderr = new OutputTail();
  child.stdout?.on('data', (chunk) => stdout.add(chunk));
  child.stderr?.on('data', (chunk) => stderr.add(chunk));
  const closed = once(child, 'close').catch(() => {});
  const [exitCode, signal] = await once(child, 'exit').catch((error: NodeJS.ErrnoException) => {
    throw refuse(
      'NoSuchCommand',
      `${file} cannot be run on this machine (${error.code}). Is it installed, and on PATH?`,
    );
  });
  await Promise.race([closed, sleep(lingerMs, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return { exitCode, signal, stdout: stdout.text(), stderr: stderr.text() };
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || !send(child.pid, 'SIGTERM')) return;
  for (const until = performance.now() + graceMs; performance.now() < until; ) {
    await sleep(20);
    if (!send(child.pid, 0)) return;
  }
  send(child.pid, 'SIGKILL');
}

async function connect(to: Parameters<HostPort['connect']>[0]): Promise<Duplex> {
  const socket = createConnection(
    'socket' in to ? { path: to.socket } : { host: to.address, port: to.port, noDelay: true },
  );
  await once(socket, 'connect');
  return socket;
}

/** false where nobody is left in the group. */
function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

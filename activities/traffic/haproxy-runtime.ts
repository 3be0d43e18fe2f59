/** HAProxy's runtime API: a command to the stats socket, and its answer (management.txt, section 9.3). */
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { notYet } from '../failures.ts';

/** Sends one command, answers with what HAProxy says, without the blank line at its end. */
export type Runtime = (command: string) => Promise<string>;

const answerMs = 10_000;
/** A reload of HAProxy replaces its socket: for some ms there is none, or one that nobody accepts on. */
const tries = 5;
const retryMs = 100;

/**
 * The runtime API at a socket: absolute path, or `host:port`. Every command fails with `ProxyUnreachable`, worth
 * another try, where nobody answers, or not to the end.
 */
export function runtimeAt(socket: string): Runtime {
  return async (command) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await say(socket, command);
      } catch (error) {
        if (attempt === tries || !neverHeard(error)) throw unreachable(socket, error);
        await sleep(retryMs);
      }
    }
  };
}

/** The command was not taken, so it may be said again. */
function neverHeard(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'connect' && (code === 'ECONNREFUSED' || code === 'ENOENT');
}

function say(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = socket.startsWith('/') ? connect(socket) : connect(...addressOf(socket));
    const timer = setTimeout(() => connection.destroy(new Error(`no answer within ${answerMs}ms`)), answerMs);
    const chunks: Buffer[] = [];
    connection.on('data', (chunk) => chunks.push(chunk));
    connection.on('error', reject);
    connection.on('close', () => {
      clearTimeout(timer);
      const answer = Buffer.concat(chunks).toString('latin1');
      if (answer.endsWith('\n')) resolve(answer.slice(0, -1));
      else reject(new Error('its answer broke off'));
    });
    connection.write(`${command}\n`);
  });
}

function addressOf(socket: string): [port: number, host: string] {
  const at = socket.lastIndexOf(':');
  return [Number(socket.slice(at + 1)), socket.slice(0, at)];
}

function unreachable(socket: string, error: unknown) {
  const { code, message } = error as NodeJS.ErrnoException;
  const what = `HAProxy's runtime API does not answer at ${socket} (${code ?? message})`;
  if (code === 'EACCES') return notYet('ProxyUnreachable', `${what}: ${whoMay(socket)}`);
  return notYet(
    'ProxyUnreachable',
    `${what}; is it running, with \`stats socket ${socket} level admin\` in \`global\`?`,
  );
}

function whoMay(socket: string): string {
  const worker = `the worker runs as user ${process.geteuid?.()}`;
  const advice = 'Let it write there with `user`, `group` and `mode` in the `stats socket` line.';
  try {
    const { mode, uid, gid } = statSync(socket);
    const rights = (mode & 0o777).toString(8);
    return `${worker}, and the socket belongs to user ${uid} and group ${gid}, mode ${rights}. ${advice}`;
  } catch {
    return `${worker}, who may not enter the socket's folder. ${advice}`;
  }
}

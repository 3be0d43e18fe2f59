/** HAProxy's runtime API: a command to the stats socket, and its answer (management.txt, section 9.3). */

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { HostPort } from '../../workflows/ports.ts';
import { notYet } from '../failures.ts';

/** Sends one command, answers with what HAProxy says, without the blank line at its end. */
export type Runtime = (command: string) => Promise<string>;

const answerMs = 10_000;
/** A reload of HAProxy replaces its socket: for some ms there is none, or one that nobody accepts on. */
const tries = 5;
const retryMs = 100;

/**
 * The runtime API at a socket of the machine: absolute path, or `host:port`. Every command fails with
 * `ProxyUnreachable`, worth another try, where nobody answers, or not to the end, and with `HostUnreachable`.
 */
export function runtimeAt(host: HostPort, socket: string): Runtime {
  return async (command) => {
    try {
      return await say(await connected(host, socket), command);
    } catch (error) {
      throw await unreachable(host, socket, error);
    }
  };
}

async function connected(host: HostPort, socket: string): Promise<Duplex> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await host.connect(socket.startsWith('/') ? { socket } : addressOf(socket));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (attempt === tries || (code !== 'ECONNREFUSED' && code !== 'ENOENT')) throw error;
      await sleep(retryMs);
    }
  }
}

function say(connection: Duplex, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => connection.destroy(new Error(`no answer within ${answerMs}ms`)), answerMs);
    const chunks: Buffer[] = [];
    const end = () => {
      clearTimeout(timer);
      const answer = Buffer.concat(chunks).toString('latin1');
      if (answer.endsWith('\n')) resolve(answer.slice(0, -1));
      else reject(new Error('its answer broke off'));
      connection.destroy();
    };
    connection.on('data', (chunk) => chunks.push(chunk));
    connection.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    connection.on('end', end);
    connection.on('close', end);
    connection.write(`${command}\n`);
  });
}

function addressOf(socket: string): { address: string; port: number } {
  const at = socket.lastIndexOf(':');
  return { address: socket.slice(0, at), port: Number(socket.slice(at + 1)) };
}

async function unreachable(host: HostPort, socket: string, error: unknown): Promise<unknown> {
  if (error instanceof ApplicationFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const what = `HAProxy's runtime API does not answer at ${socket} on ${host.name} (${code ?? message})`;
  if (code === 'EACCES') return notYet('ProxyUnreachable', `${what}: ${await whoMay(host, socket)}`);
  return notYet(
    'ProxyUnreachable',
    `${what}; is it running, with \`stats socket ${socket} level admin\` in \`global\`?`,
  );
}

async function whoMay(host: HostPort, socket: string): Promise<string> {
  const user = (await host.exec(['id', '-u'], {})).stdout.trim();
  const { exitCode, stdout } = await host.exec(['stat', '-c', 'user %u and group %g, mode %a', socket], {});
  const advice = 'Let it write there with `user`, `group` and `mode` in the `stats socket` line.';
  if (exitCode === 0) return `Holdpoint is user ${user} there, and the socket belongs to ${stdout.trim()}. ${advice}`;
  return `Holdpoint is user ${user} there, who may not enter the socket's folder. ${advice}`;
}

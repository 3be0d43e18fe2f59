/** Streams to who listens on a machine. */
import type { Duplex } from 'node:stream';
import type { HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import { runScript } from './exec.ts';
import { AskAgain, type SshError } from './failures.ts';
import type { Machine } from './machine.ts';
import { whyNoSocket } from './scripts.ts';

type To = Parameters<HostPort['connect']>[0];

/** Throws as Node does (`ECONNREFUSED`, `ENOENT`, `EACCES`, …), and `ForwardingForbidden`. */
export async function connect(machine: Machine, to: To): Promise<Duplex> {
  return await machine.use(async (connection) => {
    try {
      const stream = await connection.forward(to);
      connection.hold();
      let held = true;
      const release = () => {
        if (held) connection.release();
        held = false;
      };
      stream.once('close', release);
      // An error that nobody waits for any more would end the worker.
      stream.on('error', () => {});
      const forget = connection.onLost(() => {
        release();
        stream.emit('error', failure('ECONNRESET', machine, to));
      });
      stream.once('close', forget);
      return asSocket(stream as unknown as Duplex);
    } catch (error) {
      throw await meaning(error as SshError, machine, to);
    }
  });
}

/** What http expects of a socket, and a channel has nothing of. */
function asSocket(stream: Duplex): Duplex {
  const none = () => stream;
  return Object.assign(stream, {
    setKeepAlive: none,
    setNoDelay: none,
    setTimeout: none,
    ref: none,
    unref: none,
    destroySoon: () => stream.destroy(),
  });
}

async function meaning(error: SshError, machine: Machine, to: To): Promise<Error> {
  if (error instanceof AskAgain || error.reason === undefined) return error;
  if (error.reason === 1) {
    const setting = 'socket' in to ? 'AllowStreamLocalForwarding' : 'AllowTcpForwarding';
    return refuse(
      'ForwardingForbidden',
      `${machine.name} forwards nothing to ${where(to)}. Let its sshd_config say \`${setting} yes\`.`,
    );
  }
  return failure('socket' in to ? await whySocket(machine, to.socket) : whyAddress(error.message), machine, to);
}

function whyAddress(message: string): string {
  if (/timed out/i.test(message)) return 'ETIMEDOUT';
  if (/no route|unreachable/i.test(message)) return 'EHOSTUNREACH';
  if (/not known|resolve|resolution/i.test(message)) return 'ENOTFOUND';
  return 'ECONNREFUSED';
}

async function whySocket(machine: Machine, path: string): Promise<string> {
  const { exitCode } = await runScript(machine, whyNoSocket, [path]);
  return { 44: 'ENOENT', 45: 'EACCES' }[exitCode ?? 0] ?? 'ECONNREFUSED';
}

function failure(code: string, machine: Machine, to: To): Error {
  return Object.assign(new Error(`connect ${code} ${where(to)} on ${machine.name}`), { code });
}

function where(to: To): string {
  return 'socket' in to ? to.socket : `${to.address}:${to.port}`;
}

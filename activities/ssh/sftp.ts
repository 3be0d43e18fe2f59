/** SFTP with promises, and with errors such as Node's own. */
import type { SFTPWrapper } from 'ssh2';
import { notYet } from '../failures.ts';
import { AskAgain } from './failures.ts';
import type { Machine } from './machine.ts';

/** A machine whose disk hangs still answers its connection. Where nothing of what it was asked is answered, it hangs. */
const silentMs = 30_000;
/** When a channel last had an answer, ms: over a slow line that carries much one request may take long. */
const heard = new WeakMap<SFTPWrapper, number>();

type Done<T> = (error?: Error | null, value?: T) => void;

export interface Sftp {
  /** Throws an error with Node's `code`, which names the machine. */
  call<T>(request: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T>;
}

const codes: Record<number, [code: string, text: string]> = {
  2: ['ENOENT', 'no such file or folder'],
  3: ['EACCES', 'permission denied'],
  4: ['EIO', 'the server says no more than that it failed'],
};
/** The channel is gone. */
const gone = new Set([6, 7]);

/** `path` is for messages. */
export async function withSftp<T>(machine: Machine, path: string, work: (sftp: Sftp) => Promise<T>): Promise<T> {
  return await machine.use((connection) =>
    connection.sftp(async (sftp) => {
      const waiting = new Set<Done<never>>();
      let isOver = false;
      const over = () => {
        isOver = true;
        for (const done of waiting) done(new Error('No response from server'));
      };
      sftp.once('close', over);
      const call: Sftp['call'] = (request) =>
        new Promise((resolve, reject) => {
          const asked = performance.now();
          const listening = setInterval(() => {
            if (performance.now() - Math.max(asked, heard.get(sftp) ?? 0) < silentMs) return;
            clearInterval(listening);
            waiting.delete(done);
            reject(hanging(machine, path));
            connection.breakOff();
          }, silentMs / 10);
          const done: Done<never> = (error, value) => {
            clearInterval(listening);
            heard.set(sftp, performance.now());
            waiting.delete(done);
            if (error) reject(meaning(error, machine.name, path));
            else resolve(value as never);
          };
          // ssh2 would keep what is asked of a closed channel, and never answer.
          if (isOver) return done(new Error('No response from server'));
          waiting.add(done);
          try {
            request(sftp, done as Done<unknown> as never);
          } catch (error) {
            done(error as Error);
          }
        });
      return await work({ call }).finally(() => sftp.removeListener('close', over));
    }),
  );
}

export function noSuchFile(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function hanging({ name }: Machine, path: string): Error {
  return notYet('ConnectionLost', `${name} does not answer what it is asked of ${path}: does its disk hang?`);
}

function meaning(error: Error & { code?: number | string }, name: string, path: string): Error {
  if (typeof error.code === 'number' && !gone.has(error.code)) {
    const [code, text] = codes[error.code] ?? ['EIO', error.message];
    return Object.assign(new Error(`${code}: ${text}: ${path} on ${name}`), { code });
  }
  // Every call below states how a file should be, so that it may run twice.
  return new AskAgain(error.message);
}

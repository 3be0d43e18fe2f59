import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { findProcess } from '../../../activities/commands/process-table.ts';

/** Removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Ended with its group when the test is over. */
export function endLater(pid: number): number {
  if (!(pid > 1)) throw new Error(`${pid} is not the pid of a process to end`);
  onTestFinished(() => {
    for (const whom of [-pid, pid]) {
      try {
        process.kill(whom, 'SIGKILL');
      } catch {}
    }
  });
  return pid;
}

export async function lives(pid: number): Promise<boolean> {
  const row = await findProcess(pid);
  return row !== null && !row.zombie;
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

/** The file's text as soon as it has a whole line. */
export async function lineIn(file: string): Promise<string> {
  await until(() => linesOf(file).length > 0);
  return linesOf(file)[0]!;
}

export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A worker of its own, to be killed; ended when the test is over. Every word is passed as JSON. */
export function startWorker(script: string, ...words: unknown[]): ChildProcess {
  const args = ['--import', 'tsx', script, ...words.map((word) => JSON.stringify(word))];
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  endLater(worker.pid!);
  return worker;
}

/** Returns when it has printed something; throws when it has ended instead. */
export async function isUp(worker: ChildProcess): Promise<void> {
  const [printed] = await Promise.race([once(worker.stdout!, 'data'), once(worker, 'exit')]);
  if (!Buffer.isBuffer(printed)) throw new Error(`the worker ended with ${printed}`);
}

/** SIGKILL; returns when it is gone. */
export async function kill(worker: ChildProcess): Promise<void> {
  const gone = worker.exitCode === null && worker.signalCode === null ? once(worker, 'exit') : null;
  worker.kill('SIGKILL');
  await gone;
}

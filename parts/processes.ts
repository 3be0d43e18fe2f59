import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Whether process `pid` is alive and has `words` in its command line. An id alone proves nothing: after a
 * restart of the machine a recorded one may belong to somebody else. A zombie has no command line, and counts as gone.
 */
export function isRunning(pid: number, words: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return commandLine(pid).includes(words);
}

/**
 * Ends the process with `signal` and waits until it is gone; SIGKILL after `patience` milliseconds.
 * Leaves a process alone that has not `words` in its command line. May run twice.
 */
export async function endProcess(pid: number, words: string, signal: NodeJS.Signals, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  send(pid, words, signal);
  while (isRunning(pid, words)) {
    if (Date.now() > deadline) send(pid, words, 'SIGKILL');
    await sleep(10);
  }
}

/** The last lines of a log file, for an error message; empty when there is none. */
export function lastLines(file: string, count = 10): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

function send(pid: number, words: string, signal: NodeJS.Signals): void {
  if (!isRunning(pid, words)) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') return readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The processes of this machine. A pid alone names nobody, since it is used again; pid, start time and boot
 * together do.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';

export interface ProcessRow {
  pid: number;
  /** Process group. */
  group: number;
  /** Start time: clock ticks since the boot on Linux, a date elsewhere. Only ever compared. */
  started: string;
  /** Has ended, and only waits for its parent to notice. */
  zombie: boolean;
}

const hasProc = platform() === 'linux';
const columns = 'pid=,pgid=,stat=,lstart=';

/** null where there is no such process. */
export async function findProcess(pid: number): Promise<ProcessRow | null> {
  if (hasProc) return await readStat(pid);
  return (await ps(['-o', columns, '-p', String(pid)]))[0] ?? null;
}

export async function allProcesses(): Promise<ProcessRow[]> {
  if (!hasProc) return await ps(['-A', '-o', columns]);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readStat))).filter((row) => row !== null);
}

/** Names this boot of the machine; empty where the system has no name for it. */
export async function bootId(): Promise<string> {
  return hasProc ? (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim() : '';
}

/** A process's environment as it was started with; null where it cannot be read. */
export async function startEnvironment(pid: number): Promise<string[] | null> {
  if (!hasProc) return null;
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => null);
  return text?.split('\0') ?? null;
}

/** A line of `/proc/<pid>/stat`; the name in brackets may hold anything, so fields are counted from its end. */
export function parseStat(line: string): ProcessRow | null {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, group, threads, started] = [fields[0], fields[2], fields[17], fields[19]];
  if (!state || !group || !started) return null;
  // The state is the first thread's alone; the process has its ports until its last thread is gone.
  const zombie = 'ZXx'.includes(state) && Number(threads) <= 1;
  return { pid: Number.parseInt(line, 10), group: Number(group), started, zombie };
}

/** A line of `ps` with the columns pid, pgid, stat, lstart. */
export function parsePs(line: string): ProcessRow | null {
  const [, pid, group, state, started] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
  if (!pid || !group || !state || !started) return null;
  return { pid: Number(pid), group: Number(group), started, zombie: state.startsWith('Z') };
}

async function readStat(pid: number): Promise<ProcessRow | null> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

async function ps(args: string[]): Promise<ProcessRow[]> {
  const options = { env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
  // ps exits with 1 where it found nobody.
  const result = await promisify(execFile)('ps', args, options).catch((error) => {
    if (error.code === 1) return { stdout: '' };
    throw error;
  });
  return result.stdout
    .split('\n')
    .map(parsePs)
    .filter((row) => row !== null);
}

/** What a proxy's access log says of the requests of some minutes: a log of one line a request, ordered by time. */
import { basename, dirname, join } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { notYet } from '../failures.ts';
import type { Samples } from './samples.ts';

/** A proxy's log, on the machine where it runs. */
export interface AccessLog {
  host: HostPort;
  path: string;
  format: LogFormat;
}

/** What a line says of one request. */
export interface LoggedRequest {
  /** Empty where the proxy itself answered. */
  slot: Slot;
  status: number;
  /** Until the end of the answer. */
  ms: number;
}

/** How a product writes its log. Both functions see every line of the window, so they should be quick. */
export interface LogFormat {
  /** When the request ended, ms since the epoch; null for what is no whole line. */
  time(line: string): number | null;
  /** null for a line that is no request to a slot. */
  read(line: string): LoggedRequest | null;
  /** Of the names in the log's folder those that the log called `name` was rolled into, newest first; none packed. */
  rolled(name: string, names: string[]): string[];
}

const blockBytes = 1024 * 1024;
const lookBytes = 64 * 1024;
/** Lines get their time before they are written, so neighbours may be in the wrong order by a little. */
const disorderMs = 2_000;
/** A log is rolled once an hour or a day: to meet that several times in a row, something else must be wrong. */
const mostTries = 5;

/**
 * What was measured of these slots together, of requests that ended from `from` until before `to`, ms since the
 * epoch. Throws `LogUnreadable`, worth another try.
 */
export async function sampleRequests(log: AccessLog, slots: Slot[], from: number, to: number): Promise<Samples> {
  const samples: Samples = { requests: 0, errors: 0, times: [], windowMs: to - from };
  for (const { slot, status, ms } of await readAccessLog(log, from, to)) {
    if (!slots.includes(slot)) continue;
    samples.requests += 1;
    if (status >= 500) samples.errors += 1;
    // A WebSocket ends when its user leaves: no time to answer.
    if (status !== 101) samples.times.push(ms);
  }
  return samples;
}

/**
 * Every request that ended in the window, from the log and, where that begins too late, the files it was rolled into.
 * Jumps to the place by halving, since a log is ordered by time. Throws `LogUnreadable`.
 */
export async function readAccessLog(log: AccessLog, from: number, to: number): Promise<LoggedRequest[]> {
  for (let tries = 1; ; tries++) {
    try {
      const found = await readFiles({ ...log, from, to });
      if (found) return found;
    } catch (error) {
      throw unreadable(log, error);
    }
    if (tries === mostTries) throw notYet('LogUnreadable', `${log.path} on ${log.host.name} is rolled all the time.`);
  }
}

interface Reading extends AccessLog {
  from: number;
  to: number;
}

/** null where a file was rolled while it was read: then what was read may be of another one. */
async function readFiles(reading: Reading): Promise<LoggedRequest[] | null> {
  const found: LoggedRequest[] = [];
  const read = new Set<number>();
  let older: string[] | null = null;
  for (let file: string | undefined = reading.path; file; file = older.shift()) {
    const before = await reading.host.stat(file);
    if (!before && file === reading.path) throw notThere(reading);
    if (!before) return null;
    if (!read.has(before.inode)) {
      read.add(before.inode);
      const startsBefore = await readFile(file, before.size, reading, found);
      if ((await reading.host.stat(file))?.inode !== before.inode) return null;
      if (startsBefore) return found;
    }
    // Listed only after the newest was read: what has been rolled meanwhile is known by its inode.
    older ??= await rolledFiles(reading);
  }
  return found;
}

function notThere({ host, path }: AccessLog): Error {
  return notYet('LogUnreadable', `There is no access log ${path} on ${host.name}. Does the proxy log there?`);
}

function unreadable({ host, path }: AccessLog, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return notYet(
    'LogUnreadable',
    `Cannot read the proxy's access log ${path} on ${host.name}: ${message}. May Holdpoint's user there read it?`,
  );
}

/** Whether the file begins before the window, so that older files need not be read. */
async function readFile(path: string, size: number, reading: Reading, found: LoggedRequest[]): Promise<boolean> {
  const earliest = reading.from - disorderMs;
  const first = await timeAfter(path, 0, size, reading);
  const start = await offsetOf(path, size, earliest, reading);
  await readLines(path, start, reading, found);
  return first !== null && first < earliest;
}

async function rolledFiles({ host, path, format }: AccessLog): Promise<string[]> {
  const folder = dirname(path);
  return format.rolled(basename(path), await host.list(folder)).map((name) => join(folder, name));
}

/** An offset at or before the first line whose time is `time` or later, close to it. */
async function offsetOf(path: string, size: number, time: number, log: AccessLog): Promise<number> {
  let before = 0;
  let after = size;
  while (after - before > blockBytes) {
    const middle = Math.floor((before + after) / 2);
    const found = await timeAfter(path, middle, size, log);
    if (found !== null && found < time) before = middle;
    else after = middle;
  }
  return before;
}

/** Time of the first whole line that begins after `offset`, or at 0; null where none follows within reach. */
async function timeAfter(path: string, offset: number, size: number, { host, format }: AccessLog) {
  if (offset >= size) return null;
  const block = await host.readRange(path, offset, Math.min(lookBytes, size - offset));
  const lines = block
    .toString('latin1')
    .split('\n')
    .slice(offset === 0 ? 0 : 1, -1);
  for (const line of lines) {
    const time = format.time(line);
    if (time !== null) return time;
  }
  return null;
}

/** Reads on until the window is over. What a line break does not end yet is still being written: left out. */
async function readLines(path: string, start: number, reading: Reading, found: LoggedRequest[]): Promise<void> {
  const { host, format, from, to } = reading;
  let rest = '';
  for (let offset = start; ; ) {
    const block = await host.readRange(path, offset, blockBytes);
    if (block.length === 0) return;
    offset += block.length;
    // latin1 keeps one character a byte, so a block may end inside of a letter; only names and numbers are read.
    const lines = (rest + block.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const time = format.time(line);
      if (time === null || time < from) continue;
      if (time > to + disorderMs) return;
      if (time >= to) continue;
      const request = format.read(line);
      if (request) found.push(request);
    }
  }
}

/** The object that a line is; null where it is none: half a line, or another format. */
export function parseLine(line: string): Record<string, unknown> | null {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Of `access.log` its `access.log.1`, `access.log.2`, … or `access.log-20261121`, as logrotate names them. */
export function numbered(name: string, names: string[]): string[] {
  const age = (rolled: string) => Number(/^\.\d+$/.test(rolled) ? rolled.slice(1) : rolled);
  const ends = names.filter((rolled) => rolled.startsWith(name)).map((rolled) => rolled.slice(name.length));
  return ends
    .filter((end) => /^[.-]\d+$/.test(end))
    .sort((a, b) => age(a) - age(b))
    .map((end) => name + end);
}

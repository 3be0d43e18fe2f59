/** What a proxy's access log says of the requests of some minutes: a log of one line a request, ordered by time. */
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { notYet } from '../failures.ts';
import { quantiles } from './percentile.ts';

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
/** Lines get their time before they are written, so neighbours may be in the wrong order by a little. */
const disorderMs = 2_000;

/**
 * What was measured of these slots together, of requests that ended from `from` until before `to`, ms since the
 * epoch. Throws `LogUnreadable`, worth another try.
 */
export async function measureRequests(
  log: { path: string; format: LogFormat },
  slots: Slot[],
  from: number,
  to: number,
): Promise<TrafficMeasurement> {
  const times: number[] = [];
  let requests = 0;
  let errors = 0;
  await readAccessLog(log.path, log.format, from, to, ({ slot, status, ms }) => {
    if (!slots.includes(slot)) return;
    requests += 1;
    if (status >= 500) errors += 1;
    // A WebSocket ends when its user leaves: no time to answer.
    if (status !== 101) times.push(ms);
  });
  return { requests, errors, ...quantiles(times), windowMs: to - from };
}

/**
 * Calls `take` with every request that ended in the window, from the log and, where that begins too late, the files
 * it was rolled into. Jumps to the place by halving, since a log is ordered by time. Throws `LogUnreadable`.
 */
export async function readAccessLog(
  path: string,
  format: LogFormat,
  from: number,
  to: number,
  take: (request: LoggedRequest) => void,
): Promise<void> {
  const reading = { format, from, to, take };
  const read = new Set<Stats['ino']>();
  try {
    let older: string[] | null = null;
    for (let file: string | undefined = path; file; file = older.shift()) {
      const startsBefore = await readFile(file, read, reading);
      if (startsBefore) return;
      // Listed only after the newest was read: what has been rolled meanwhile is known by its inode.
      older ??= await rolledFiles(path, format);
    }
  } catch (error) {
    throw unreadable(error);
  }
}

interface Reading {
  format: LogFormat;
  from: number;
  to: number;
  take: (request: LoggedRequest) => void;
}

function unreadable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const hint = code === 'ENOENT' ? 'Does the proxy log there?' : 'May the worker read it?';
  return notYet('LogUnreadable', `Cannot read the proxy's access log: ${message}. ${hint}`);
}

/** Whether the file begins before the window, so that older files need not be read. */
async function readFile(path: string, read: Set<Stats['ino']>, reading: Reading): Promise<boolean> {
  const file = await open(path);
  try {
    const { ino, size } = await file.stat();
    if (read.has(ino)) return false;
    read.add(ino);
    const earliest = reading.from - disorderMs;
    const first = await timeAfter(file, 0, size, reading.format);
    const start = await offsetOf(file, size, earliest, reading.format);
    await readLines(file, start, reading);
    return first !== null && first < earliest;
  } finally {
    await file.close();
  }
}

async function rolledFiles(path: string, format: LogFormat): Promise<string[]> {
  const folder = dirname(path);
  return format.rolled(basename(path), await readdir(folder)).map((name) => join(folder, name));
}

/** An offset at or before the first line whose time is `time` or later, close to it. */
async function offsetOf(file: FileHandle, size: number, time: number, format: LogFormat): Promise<number> {
  let before = 0;
  let after = size;
  while (after - before > blockBytes) {
    const middle = Math.floor((before + after) / 2);
    const found = await timeAfter(file, middle, size, format);
    if (found !== null && found < time) before = middle;
    else after = middle;
  }
  return before;
}

/** Time of the first whole line that begins after `offset`, or at 0; null where none follows within reach. */
async function timeAfter(file: FileHandle, offset: number, size: number, format: LogFormat): Promise<number | null> {
  const buffer = Buffer.alloc(Math.min(64 * 1024, size - offset));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  const lines = buffer
    .toString('latin1', 0, bytesRead)
    .split('\n')
    .slice(offset === 0 ? 0 : 1, -1);
  for (const line of lines) {
    const time = format.time(line);
    if (time !== null) return time;
  }
  return null;
}

/** Reads on until the window is over. What a line break does not end yet is still being written: left out. */
async function readLines(file: FileHandle, start: number, { format, from, to, take }: Reading): Promise<void> {
  const buffer = Buffer.alloc(blockBytes);
  let rest = '';
  for (let offset = start; ; ) {
    const { bytesRead } = await file.read(buffer, 0, blockBytes, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    // latin1 keeps one character a byte, so a block may end inside of a letter; only names and numbers are read.
    const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const time = format.time(line);
      if (time === null || time < from) continue;
      if (time > to + disorderMs) return;
      if (time >= to) continue;
      const request = format.read(line);
      if (request) take(request);
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

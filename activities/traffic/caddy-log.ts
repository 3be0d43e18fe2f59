import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Slot } from '../../workflows/runbook/plan.ts';

/** What one line of the access log says of one request. */
interface LoggedRequest {
  status: number;
  /** Until the end of the answer, seconds. */
  duration: number;
}

const blockBytes = 1024 * 1024;
/** Lines get their time before they are written, so neighbours may be in the wrong order by a little. */
const disorderSeconds = 2;

/**
 * Calls `take` with every request to the slot that ended from `from` until before `to` (ms since the epoch), from
 * the log and, where that begins too late, the files it was rolled into. Jumps to the place by halving, since a log
 * is ordered by time. Throws what `fs` throws; ENOENT where Caddy has not made the file.
 */
export async function readAccessLog(
  path: string,
  slot: Slot,
  from: number,
  to: number,
  take: (request: LoggedRequest) => void,
): Promise<void> {
  const window = { slot, from: from / 1_000, to: to / 1_000 };
  const read = new Set<Stats['ino']>();
  let file: string | undefined = path;
  let older: string[] | null = null;
  while (file) {
    const startsBefore = await readFile(file, read, window, take);
    if (startsBefore) return;
    // Listed only after the newest was read: what has been rolled meanwhile is known by its inode.
    older ??= await rolledFiles(path);
    file = older.shift();
  }
}

interface Window {
  slot: Slot;
  /** Seconds since the epoch, as Caddy logs them. */
  from: number;
  to: number;
}

/** Whether the file begins before the window, so that older files need not be read. */
async function readFile(
  path: string,
  read: Set<Stats['ino']>,
  window: Window,
  take: (request: LoggedRequest) => void,
): Promise<boolean> {
  const file = await open(path);
  try {
    const { ino, size } = await file.stat();
    if (read.has(ino)) return false;
    read.add(ino);
    const first = await timeAfter(file, 0, size);
    const start = await offsetOf(file, size, window.from - disorderSeconds);
    await readLines(file, start, window, take);
    return first !== null && first < window.from - disorderSeconds;
  } finally {
    await file.close();
  }
}

/** `access.log` rolls into `access-<time>-<reason>.log` beside it; newest first. */
async function rolledFiles(path: string): Promise<string[]> {
  const extension = extname(path);
  const start = `${basename(path, extension)}-`;
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(start) && name.endsWith(extension) && /^\d{4}-/.test(name.slice(start.length)))
    .sort()
    .reverse()
    .map((name) => join(dirname(path), name));
}

/** An offset at or before the first line whose time is `time` or later, close to it. */
async function offsetOf(file: FileHandle, size: number, time: number): Promise<number> {
  let before = 0;
  let after = size;
  while (after - before > blockBytes) {
    const middle = Math.floor((before + after) / 2);
    const found = await timeAfter(file, middle, size);
    if (found !== null && found < time) before = middle;
    else after = middle;
  }
  return before;
}

/** Time of the first whole line that begins after `offset`, or at 0; null where none follows within reach. */
async function timeAfter(file: FileHandle, offset: number, size: number): Promise<number | null> {
  const buffer = Buffer.alloc(Math.min(64 * 1024, size - offset));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  const lines = buffer
    .toString('latin1', 0, bytesRead)
    .split('\n')
    .slice(offset === 0 ? 0 : 1, -1);
  for (const line of lines) {
    const time = timeOf(line);
    if (time !== null) return time;
  }
  return null;
}

/** Reads on until the window is over. What a line break does not end yet is still being written: left out. */
async function readLines(
  file: FileHandle,
  start: number,
  window: Window,
  take: (request: LoggedRequest) => void,
): Promise<void> {
  const buffer = Buffer.alloc(blockBytes);
  let rest = '';
  for (let offset = start; ; ) {
    const { bytesRead } = await file.read(buffer, 0, blockBytes, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    // latin1 keeps one character a byte, so a block may end inside of a letter; only numbers are read from it.
    const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const time = timeOf(line);
      if (time === null || time < window.from) continue;
      if (time > window.to + disorderSeconds) return;
      if (time < window.to) takeLine(line, window.slot, take);
    }
  }
}

/** Caddy writes `{"level":"info","ts":1795253556.36,…`; null for half a line. */
function timeOf(line: string): number | null {
  const at = line.indexOf('"ts":');
  if (at < 0 || at > 40) return null;
  const time = Number.parseFloat(line.slice(at + 5, at + 30));
  return Number.isNaN(time) ? null : time;
}

function takeLine(line: string, slot: Slot, take: (request: LoggedRequest) => void): void {
  // Parsing is what costs, so only lines that may be the slot's get there; a quote inside a value would be escaped.
  if (!line.includes(`"slot":"${slot}"`)) return;
  try {
    const entry = JSON.parse(line);
    if (entry.slot === slot) take({ status: entry.status, duration: entry.duration });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

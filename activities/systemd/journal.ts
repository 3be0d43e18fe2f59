/** What instances print, as the machine's journal has it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../../workflows/ports.ts';
import type { Look } from './look.ts';
import { run } from './machine.ts';
import type { Place } from './place.ts';
import { journalScript } from './scripts.ts';

const tailLines = 20;
const mostLines = 10_000;
const mostBytes = 8 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
/** More than a command takes to begin; what is too much is left out by its own time. */
const marginMs = 5_000;
const mostTurns = 4;
const pauseMs = 250;

const format = ['--no-pager', '--quiet', '--output=json', '--output-fields=MESSAGE'];

/** The last lines of a run, and what systemd says of it. Empty where nothing was kept. */
export async function tailOf(place: Place, seen: Look, lines = tailLines): Promise<string> {
  const matches = runOf(place, seen);
  if (!matches) return '';
  const result = await run(place, journalScript, ['stdout', ...format, '-n', String(lines), ...matches]);
  const [, ...printed] = result!.stdout.split('\n');
  const texts = printed.flatMap((line) => entryOf(line)?.text ?? []);
  return place.mask.text(texts.join('\n')).trimEnd().split('\n').slice(-lines).join('\n');
}

/** What the run itself printed between two moments of the worker's clock; of more than 10,000 lines the newest. */
export async function linesOf(place: Place, seen: Look, from: number, to: number): Promise<LogLine[]> {
  const id = invocationOf(seen);
  if (!id) return [];
  const before = Date.now();
  const words = [...windowOf(from, to, before), '-n', String(mostLines), `_SYSTEMD_INVOCATION_ID=${id}`];
  const result = await run(place, journalScript, ['file', ...format, ...words]);
  const [clock, file, size] = result!.stdout.split('\n') as [string, string, string];
  const offset = offsetOf(Number(clock) / 1e6, before, Date.now());
  try {
    const lines = (await textOf(place, file, Number(size))).split('\n').flatMap((line) => entryOf(line) ?? []);
    return withoutSecrets(place, inWindow(lines, from, to, offset));
  } finally {
    await place.host.remove(file);
  }
}

/** A secret may have several lines: hidden in all of them at once, what is left of them has no time. */
function withoutSecrets({ mask }: Place, lines: LogLine[]): LogLine[] {
  const plain = lines.map(({ text }) => text).join('\n');
  const hidden = mask.text(plain);
  if (hidden === plain) return lines;
  const each = lines.map(({ at, text }) => ({ at, text: mask.text(text) }));
  const same = each.map(({ text }) => text).join('\n') === hidden;
  return same ? each : hidden.split('\n').map((text) => ({ at: null, text }));
}

/** Once it has ended: the journal takes in its last lines a moment later. */
export async function lastWordsOf(place: Place, seen: Look): Promise<string> {
  let before = '';
  for (let turn = 0; turn < mostTurns; turn++) {
    const now = await tailOf(place, seen);
    if (now === before && now) return now;
    before = now;
    await sleep(pauseMs);
  }
  return before;
}

/** The run that is there, else the last one that the marker knows. */
function invocationOf({ unit, marker }: Look): string | null {
  return unit.InvocationID || marker?.invocation || null;
}

/** One that has ended before anybody could read its id is known by when it was started. */
function runOf({ unit }: Place, seen: Look): string[] | null {
  const id = invocationOf(seen);
  if (id) return [`_SYSTEMD_INVOCATION_ID=${id}`, '+', `INVOCATION_ID=${id}`];
  return seen.marker ? [`--unit=${unit}`, `--since=@${(seen.marker.at / 1e6).toFixed(6)}`] : null;
}

async function textOf({ host }: Place, file: string, size: number): Promise<string> {
  const parts: Buffer[] = [];
  for (let at = Math.max(0, size - mostBytes); at < size; at += chunkBytes) {
    parts.push(await host.readRange(file, at, Math.min(chunkBytes, size - at)));
  }
  return Buffer.concat(parts).toString();
}

/** As journalctl takes it: counted from the machine's own now, whatever its clock says. */
export function windowOf(from: number, to: number, now: number): string[] {
  const relative = (ms: number) => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1_000).toFixed(3)}s`;
  return [`--since=${relative(from - marginMs - now)}`, `--until=${relative(to + marginMs - now)}`];
}

/** How far the machine's clock is ahead of the worker's, ms; it was read between two moments of the worker's. */
export function offsetOf(machine: number, before: number, after: number): number {
  return machine - (before + after) / 2;
}

interface Entry {
  /** ms since the epoch, by the machine's clock. */
  at: number;
  text: string;
}

/** By the worker's clock. */
export function inWindow(entries: Entry[], from: number, to: number, offset: number): { at: number; text: string }[] {
  const shifted = entries.map(({ at, text }) => ({ at: Math.round(at - offset), text }));
  return shifted.filter(({ at }) => at >= from && at <= to).slice(-mostLines);
}

/** A line of `journalctl -o json`; null for one that was cut. Of what is no text it gives the bytes. */
export function entryOf(line: string): Entry | null {
  try {
    const { __REALTIME_TIMESTAMP: at, MESSAGE: message } = JSON.parse(line);
    const text = Array.isArray(message) ? Buffer.from(message).toString() : String(message ?? '');
    return { at: Number(at) / 1_000, text };
  } catch {
    return null;
  }
}

/** What HAProxy's ring says of the requests of some minutes: a line for each, ordered by time. */
import { type HaproxyInput, haproxyName, ringBytes } from '../../workflows/runbook/haproxy-cfg.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import { haproxyRemedy } from './haproxy-lacks.ts';
import type { Runtime } from './haproxy-runtime.ts';
import type { Samples } from './samples.ts';

/** Lines get their time before they are written, so neighbours may be in the wrong order by a little. */
const disorderMs = 2_000;

export interface Ring {
  /** A line for each request, oldest first. */
  lines: string;
  /** When this HAProxy was started, with an empty ring; ms since the epoch, up to two seconds late, never early. */
  started: number;
}

/** Throws `ProxyNotReady` where there is no ring. */
export async function readRing(runtime: Runtime, input: HaproxyInput): Promise<Ring> {
  const name = haproxyName(input.map);
  const asked = Date.now();
  // In one go, since a reload in between would make them two HAProxies' answers.
  const answer = await runtime(`show info;show events ${name}`);
  const end = answer.indexOf('\n\n');
  const uptime = /^Uptime_sec: (\d+)$/m.exec(answer.slice(0, end))?.[1];
  const lines = answer.slice(end + 2);
  // HAProxy subtracts whole seconds of the clock, so its age may be told a second too high.
  if (uptime && !lines.startsWith('No such')) return { lines, started: asked - (Number(uptime) - 1) * 1_000 };
  throw refuse('ProxyNotReady', `HAProxy has no ring ${name}, so nothing can be measured. ${haproxyRemedy(input)}`);
}

/**
 * What was measured of these slots together, of requests that ended from `from` until before `to`, ms since the epoch.
 * Where the ring does not know the window's beginning, since HAProxy was started or reloaded, or the ring was
 * overwritten after it, `windowMs` is as much shorter.
 */
export function sampleRing({ lines, started }: Ring, slots: Slot[], from: number, to: number): Samples {
  const times: number[] = [];
  let requests = 0;
  let errors = 0;
  for (let at = startOf(lines, from - disorderMs); at < lines.length; at = endOf(lines, at) + 1) {
    const [time, status, ms, slot] = lines.slice(at, endOf(lines, at)).split(' ');
    if (Number(time) < from || Number(time) >= to || !slots.includes(slot!)) continue;
    requests += 1;
    if (Number(status) >= 500) errors += 1;
    // A WebSocket ends when its user leaves: no time to answer.
    if (status !== '101') times.push(Number(ms));
  }
  // A ring that is half full may have lost something: then its oldest line is the first that is known of.
  const isHalfFull = lines.length >= ringBytes / 2;
  const known = Math.max(from, isHalfFull ? timeAt(lines, 0) : started);
  return { requests, errors, times, windowMs: Math.max(0, to - known) };
}

/** Where the first line begins that is not older, found by halving. */
function startOf(lines: string, time: number): number {
  let before = 0;
  let after = lines.length;
  while (before < after) {
    const middle = lines.lastIndexOf('\n', Math.floor((before + after) / 2) - 1) + 1;
    if (timeAt(lines, middle) < time) before = endOf(lines, middle) + 1;
    else after = middle;
  }
  return before;
}

function timeAt(lines: string, at: number): number {
  return Number.parseInt(lines.slice(at, at + 20), 10);
}

function endOf(lines: string, at: number): number {
  const end = lines.indexOf('\n', at);
  return end < 0 ? lines.length : end;
}

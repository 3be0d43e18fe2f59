import type { HostPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Upstreams } from '../../workflows/runbook/upstreams.ts';
import { type LogFormat, numbered, parseLine } from './access-log.ts';

/** Longer than the longest line. */
const lookBytes = 64 * 1024;

/** Traefik's access log in JSON, with its own fields. */
export function traefikLog(upstreams: Upstreams): LogFormat {
  const slots = new Map(Object.entries(upstreams).map(([slot, upstream]) => [upstream, slot]));
  return { time, rolled: numbered, read: (line) => read(line, slots) };
}

/** Whether the log's first line is of that kind; true of an empty log. */
export async function isTraefikLog(host: HostPort, path: string): Promise<boolean> {
  const start = (await host.readRange(path, 0, lookBytes)).toString('latin1');
  return start === '' || time(start.split('\n', 1)[0]!) !== null;
}

/** A line is written when the answer has ended. A quote inside a value would be escaped, so these are its own keys. */
function time(line: string): number | null {
  const start = /"StartUTC":"([^"]+)"/.exec(line);
  const nanoseconds = /"Duration":(\d+)/.exec(line);
  const end = start && nanoseconds ? Date.parse(start[1]!) + Number(nanoseconds[1]) / 1e6 : Number.NaN;
  return Number.isNaN(end) ? null : end;
}

function read(line: string, slots: Map<string, Slot>) {
  if (!line.includes('"ServiceAddr":"')) return null;
  const entry = parseLine(line);
  const slot = slots.get(String(entry?.ServiceAddr));
  if (!entry || slot === undefined) return null;
  return { slot, status: Number(entry.DownstreamStatus), ms: Number(entry.Duration) / 1e6 };
}

import { extname } from 'node:path';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Upstreams } from '../../workflows/runbook/upstreams.ts';
import { type LogFormat, parseLine } from './access-log.ts';

/** Caddy's own JSON, with the address that a request went to as `upstream`. */
export function caddyLog(upstreams: Upstreams): LogFormat {
  const slots = new Map(Object.entries(upstreams).map(([slot, upstream]) => [upstream, slot]));
  return { time, rolled, read: (line) => read(line, slots) };
}

/** Caddy writes `{"level":"info","ts":1795253556.36,…` when the answer has ended, in seconds; null for half a line. */
function time(line: string): number | null {
  const at = line.indexOf('"ts":');
  if (at < 0 || at > 40) return null;
  const seconds = Number.parseFloat(line.slice(at + 5, at + 30));
  return Number.isNaN(seconds) ? null : seconds * 1_000;
}

function read(line: string, slots: Map<string, Slot>) {
  // Parsing is what costs, so only lines that went to a slot get there; a quote inside a value would be escaped.
  if (!line.includes('"upstream":"')) return null;
  const entry = parseLine(line);
  const slot = slots.get(String(entry?.upstream));
  if (!entry || slot === undefined) return null;
  return { slot, status: Number(entry.status), ms: Number(entry.duration) * 1_000 };
}

/** `access.log` rolls into `access-<time>-<reason>.log`. */
function rolled(name: string, names: string[]): string[] {
  const extension = extname(name);
  const start = `${name.slice(0, name.length - extension.length)}-`;
  return names
    .filter(
      (other) => other.startsWith(start) && other.endsWith(extension) && /^\d{4}-/.test(other.slice(start.length)),
    )
    .sort()
    .reverse();
}

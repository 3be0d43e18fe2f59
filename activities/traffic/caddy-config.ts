import { type CaddyInput, greenFlag, managedMarker } from '../../workflows/runbook/caddyfile.ts';
import { type Slot, slots } from '../../workflows/runbook/plan.ts';

/**
 * What Caddy's running configuration (JSON of `GET /config/`) lacks, in sentences; empty when it is ready.
 * Looks for what the block above turns into, wherever in the configuration it is.
 */
export function caddyLacks(config: unknown, input: CaddyInput): string[] {
  const http = pick(pick(config, 'apps'), 'http');
  const lacks = slots.flatMap((slot) => slotLacks(http, slot, input.ports[slot]));
  for (const [flag, why] of flags) {
    if (all(http).some((node) => isFlagMatcher(pick(node, 'file'), input.folder, flag))) continue;
    lacks.push(`No route of Caddy asks for the file ${flag} in ${input.folder}: ${why}.`);
  }
  return [...lacks, ...logLacks(pick(pick(config, 'logging'), 'logs'), input.log)];
}

const flags = [
  [greenFlag, 'it would never switch'],
  [managedMarker, 'a first version would be served before its probe'],
] as const;

function slotLacks(http: unknown, slot: Slot, port: number): string[] {
  const named = all(http).filter(
    (node) => pick(node, 'handler') === 'subroute' && all(node).some((inner) => isLogAppend(inner, slot)),
  );
  const served = named.some((node) => all(node).some((inner) => isUpstream(pick(inner, 'dial'), port)));
  return served ? [] : [`No route of Caddy goes to 127.0.0.1:${port} and says \`log_append slot ${slot}\`.`];
}

function logLacks(logs: unknown, path: string): string[] {
  const log = Object.values(isObject(logs) ? logs : {}).find(
    (candidate) => pick(pick(candidate, 'writer'), 'filename') === path,
  );
  if (!log) return [`Caddy writes no access log to ${path}: nothing could be measured.`];
  const encoder = pick(log, 'encoder');
  const lacks: string[] = [];
  if (pick(encoder, 'format') !== 'json' || pick(encoder, 'time_format') !== undefined) {
    lacks.push(`The access log ${path} must be in Caddy's own JSON: \`format json\` without any options.`);
  }
  if (pick(pick(log, 'writer'), 'roll_gzip') !== false) {
    lacks.push(`The access log ${path} is compressed when it rolls: add \`roll_uncompressed\`.`);
  }
  return lacks;
}

const isLogAppend = (node: unknown, slot: Slot) =>
  pick(node, 'handler') === 'log_append' && pick(node, 'key') === 'slot' && pick(node, 'value') === slot;

const isFlagMatcher = (matcher: unknown, folder: string, flag: string) => {
  const files = pick(matcher, 'try_files');
  return pick(matcher, 'root') === folder && Array.isArray(files) && files.includes(flag);
};

/** Whether an address that Caddy dials is this port of its own machine. */
export function isUpstream(address: unknown, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]', ''].some((host) => address === `${host}:${port}`);
}

/** The value and everything inside of it. */
function all(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(all)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function pick(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined;
}

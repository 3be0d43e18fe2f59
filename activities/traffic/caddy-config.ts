import { bucketsFile, bucketUpstreams, type CaddyInput, keyHeader } from '../../workflows/runbook/caddyfile.ts';
import type { Sticky } from '../../workflows/runbook/sticky.ts';

/**
 * What Caddy's running configuration (JSON of `GET /config/`) lacks, in sentences; empty when it is ready.
 * Looks for what the site's block turns into, wherever in the configuration it is.
 */
export function caddyLacks(config: unknown, input: CaddyInput): string[] {
  const nodes = all(pick(pick(config, 'apps'), 'http'));
  const lacks = siteParts(input).filter(({ isPart }) => !nodes.some(isPart));
  const routes = lacks.map(({ otherwise }) => otherwise);
  return [...routes, ...logLacks(pick(pick(config, 'logging'), 'logs'), input.log)];
}

interface SitePart {
  isPart(node: unknown): boolean;
  /** What is wrong without it. */
  otherwise: string;
}

function siteParts({ folder, upstreams: slots, sticky }: CaddyInput): SitePart[] {
  const file = `${folder}/${bucketsFile}`;
  const upstreams = bucketUpstreams(slots).join();
  return [
    {
      isPart: (node) => isFileMatcher(pick(node, 'file'), folder),
      otherwise: `No route of Caddy asks for the file ${file}: a first version would be served before its probe.`,
    },
    {
      isPart: (node) => pick(node, 'handler') === 'map' && pick(node, 'source') === `{file.${file}}`,
      otherwise: `No \`map\` of Caddy reads from ${file} where a request goes: it would never switch.`,
    },
    {
      isPart: (node) =>
        dials(node) === upstreams && isPolicy(pick(pick(node, 'load_balancing'), 'selection_policy'), sticky),
      otherwise: `No \`reverse_proxy\` of Caddy has the 100 buckets as upstreams and chooses one ${byWhat(sticky)}.`,
    },
    ...cookieParts(sticky),
    {
      isPart: (node) => pick(node, 'handler') === 'log_append' && pick(node, 'key') === 'upstream',
      otherwise: 'Caddy does not say in its log where a request went: nothing could be measured of a slot.',
    },
  ];
}

/** How a cookie gets to the choice of a bucket. */
function cookieParts(sticky: Sticky | undefined): SitePart[] {
  const name = cookieOf(sticky);
  if (!name) return [];
  const read: SitePart = {
    isPart: (node) =>
      list(pick(pick(pick(node, 'request'), 'set'), keyHeader)).includes(`{http.request.cookie.${name}}`),
    otherwise: `Caddy does not choose by the cookie ${name}: users would change their version.`,
  };
  const set: SitePart = {
    isPart: (node) => setCookies(node).some((cookie) => String(cookie).startsWith(`${name}={http.request.uuid}`)),
    otherwise: `Caddy does not set the cookie ${name}: users would change their version.`,
  };
  return typeof sticky === 'object' && 'ownCookie' in sticky ? [read, set] : [read];
}

function isPolicy(policy: unknown, sticky: Sticky | undefined): boolean {
  const kind = pick(policy, 'policy');
  if (sticky === undefined) return kind === 'random';
  if (sticky === 'address') return kind === 'client_ip_hash';
  return kind === 'header' && pick(policy, 'field') === ('header' in sticky ? sticky.header : keyHeader);
}

function byWhat(sticky: Sticky | undefined): string {
  if (sticky === undefined) return 'at random';
  if (sticky === 'address') return "by the client's address";
  return 'header' in sticky ? `by the header ${sticky.header}` : `by the cookie ${cookieOf(sticky)}`;
}

function cookieOf(sticky: Sticky | undefined): string | null {
  if (typeof sticky !== 'object') return null;
  if ('cookie' in sticky) return sticky.cookie;
  return 'ownCookie' in sticky ? sticky.ownCookie : null;
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

function isFileMatcher(matcher: unknown, folder: string): boolean {
  return pick(matcher, 'root') === folder && list(pick(matcher, 'try_files')).includes(bucketsFile);
}

function dials(node: unknown): string {
  return list(pick(node, 'upstreams'))
    .map((upstream) => pick(upstream, 'dial'))
    .join();
}

function setCookies(node: unknown): unknown[] {
  return list(pick(pick(pick(node, 'response'), 'add'), 'Set-Cookie'));
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

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

import { bucketsOf } from './buckets.ts';
import type { Place } from './places.ts';
import type { Slot, Weights } from './plan.ts';
import { ownCookieSeconds } from './sticky.ts';
import type { Upstreams } from './upstreams.ts';

/** Traefik's part of the front door, as the environment's `traffic` options and the target's places say it. */
export interface TraefikInput {
  /** URL that people use, without a path: `http://127.0.0.1:8080`, `https://shop.example.com`. */
  front: string;
  /** URL of Traefik's API. */
  api: string;
  /** Absolute path of the dynamic configuration that Holdpoint writes, in a folder that Traefik watches. */
  file: string;
  /** Absolute path of the access log, which Holdpoint reads to measure. */
  log: string;
  /** Which requests are the service's, as Traefik's routers say it. */
  rule: string;
  entryPoints: string[];
  upstreams: Upstreams;
  /** Absent: each request is drawn by itself. */
  sticky: TraefikSticky | undefined;
}

/** All that Traefik can know a user by: it cannot choose by a header, or by a cookie that the service sets. */
export type TraefikSticky = { ownCookie: string } | 'address';

/** A service that takes a part of the traffic, and the one server behind it. */
export interface TraefikChild {
  name: string;
  weight: number;
  url: string;
}

/** Name of the router and the service in Traefik: the file's, without its ending. */
export function traefikName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}

/**
 * What shares the traffic. With an own cookie always the same 100, which the cookie names, so that a user changes the
 * version only when a bucket changes its server. Otherwise one a slot: an address is hashed with each name, and the
 * highest number, times the weight, wins, so a weight that grows moves users in one direction only. That hash mixes
 * what comes last in a name badly; so names differ at their beginning. `places`: the target's. Throws what `bucketsOf`
 * throws.
 */
export function traefikChildren(
  { file, upstreams, sticky }: TraefikInput,
  weights: Weights,
  places: Place[],
): TraefikChild[] {
  const buckets = bucketsOf(weights, places);
  const child = (name: string, weight: number, slot: Slot) => ({
    name: `${name}-of-holdpoint-${traefikName(file)}`,
    weight,
    url: `http://${upstreams[slot]}`,
  });
  if (typeof sticky === 'object') {
    return buckets.map((slot, bucket) => child(String(bucket).padStart(2, '0'), 1, slot));
  }
  return Object.entries(parts(weights, places)).map(([slot, part]) => child(slot, part, slot));
}

/** Of all the traffic as a whole number, fine enough for the machines of a fleet. */
const wholeShare = 10_000;

/** Exactly alike for those that share alike, or users of one would move to another whenever a share is rounded. */
function parts(weights: Weights, places: Place[]): Record<Slot, number> {
  const active = places.filter(({ slot }) => (weights[slot] ?? 0) > 0);
  const isPool = places.length > 2 && places.every(({ host }) => host === null);
  return Object.fromEntries(
    active.map(({ slot, side }) => {
      const alike = active.filter((other) => isPool || other.side === side);
      const share = alike.reduce((sum, other) => sum + weights[other.slot]!, 0) / alike.length;
      return [slot, Math.round(share * wholeShare)];
    }),
  );
}

/** The dynamic configuration: JSON, which is YAML as well. */
export function traefikDynamic(input: TraefikInput, children: TraefikChild[]): string {
  const name = traefikName(input.file);
  const servers = children.map(({ name: child, url }) => [
    child,
    { loadBalancer: { serversTransport: name, servers: [{ url }] } },
  ]);
  const http = {
    routers: { [name]: { rule: input.rule, entryPoints: input.entryPoints, service: name } },
    services: { [name]: shared(input, children), ...Object.fromEntries(servers) },
    serversTransports: { [name]: connections },
  };
  return `${JSON.stringify({ http }, null, 2)}\n`;
}

/**
 * The connections to a slot are its requests in flight, and idle ones for a second: shorter than any common server's own
 * limit, or a POST meets a connection just being closed. No idle ones at all would cost twice the time of a request.
 */
const connections = { maxIdleConnsPerHost: 200, forwardingTimeouts: { idleConnTimeout: '1s' } };

function shared({ front, sticky }: TraefikInput, children: TraefikChild[]) {
  const services = children.map(({ name, weight }) => ({ name, weight }));
  if (sticky === undefined) return { weighted: { services } };
  if (sticky === 'address') return { highestRandomWeight: { services } };
  const secure = front.startsWith('https:');
  const cookie = { name: sticky.ownCookie, maxAge: ownCookieSeconds, httpOnly: true, sameSite: 'lax', secure };
  return { weighted: { services, sticky: { cookie } } };
}

/**
 * What the static configuration has to say, as YAML. The throttle is how long Traefik rests after it has read the folder,
 * and writing a file makes it read twice: with its own default, 2 s, each switch takes as long. Nothing is lost meanwhile.
 */
export function traefikStatic({ front, api, file, log, entryPoints }: TraefikInput): string {
  const points = entryPoints.map((name) => entryPoint(name, front));
  return `entryPoints:
${points.join('')}  traefik:
    address: ${addressOf(api)}
api:
  insecure: true # on the entry point traefik alone
accessLog:
  filePath: ${log}
  format: json
providers:
  providersThrottleDuration: 50ms
  file:
    directory: ${file.slice(0, file.lastIndexOf('/'))}
`;
}

function entryPoint(name: string, front: string): string {
  const tls = front.startsWith('https:') ? '    http:\n      tls: {}\n' : '';
  return `  ${name}:\n    address: ${addressOf(front)}\n${tls}`;
}

/** Where Traefik listens: on an IP address or on all. */
function addressOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const on = port || (protocol === 'https:' ? '443' : '80');
  return /^[\d.]+$|^\[/.test(hostname) ? `"${hostname}:${on}"` : `":${on}"`;
}

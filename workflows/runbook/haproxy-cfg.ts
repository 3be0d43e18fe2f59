/** What HAProxy has to be told once, so that traffic is then shared without ever reloading it. */
import { bucketCount } from './buckets.ts';
import { hashOf } from './hash-of.ts';
import type { Slot } from './plan.ts';
import { ownCookieSeconds, type Sticky } from './sticky.ts';
import type { Upstreams } from './upstreams.ts';

/** HAProxy's part of the front door, as the environment's `traffic` options and the target's places say it. */
export interface HaproxyInput {
  /** URL that people use, without a path: `http://127.0.0.1:8080`, `https://shop.example.com`. */
  front: string;
  /** Where the runtime API listens: absolute path of a unix socket, or an address and port. */
  socket: string;
  /** Absolute path of the file that says which slot has which bucket; its name names the service in HAProxy. */
  map: string;
  sticky: Sticky | undefined;
  upstreams: Upstreams;
}

/** Bytes of the ring that keeps a line for each request: 400,000 requests, 14 minutes at 500 a second. */
export const ringBytes = 16 * 1024 * 1024;
/** Of time, status, duration and the spaces between them, at most; then comes the slot. */
const lineBytes = 32;
/** As `option httplog` writes it. */
const httplog =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';

/** Of `/var/lib/holdpoint/shop.map` it is `shop`: the name of its frontend and ring, so two services never meet. */
export function haproxyName(map: string): string {
  return map.slice(map.lastIndexOf('/') + 1).replace(/\.map$/, '');
}

export function haproxyBackend(map: string, slot: Slot): string {
  return `${haproxyName(map)}_${slot}`;
}

/** What the map's file says, and HAProxy's own copy of it: a line for each bucket. */
export function haproxyMap(buckets: Slot[]): string {
  return buckets.map((slot, bucket) => `${bucket} ${slot}\n`).join('');
}

/** A whole configuration for one service. */
export function haproxyCfg(input: HaproxyInput): string {
  return `${haproxyGlobal(input.socket)}\n${haproxySections(input)}`;
}

/** What the global section needs, once for all services. */
export function haproxyGlobal(socket: string): string {
  const [address, access] = socket.startsWith('/') ? [socket, 'mode 660 '] : [`ipv4@${socket}`, ''];
  return `global\n    stats socket ${address} ${access}level admin expose-fd listeners\n`;
}

/**
 * One service's sections (HAProxy 2.4 or newer). Each request belongs to a bucket, and the map says which slot has it;
 * the runtime API changes the map, so that nothing is ever reloaded. Where the map is empty, nobody is served.
 */
export function haproxySections(input: HaproxyInput): string {
  return sections(input, haproxyFingerprint(input));
}

/** Changes with every change of what {@link haproxySections} says: how a running HAProxy is known to have just this. */
export function haproxyFingerprint(input: HaproxyInput): string {
  return `Holdpoint ${hashOf(sections(input, ''))}`;
}

function sections(input: HaproxyInput, fingerprint: string): string {
  const { front, map, sticky } = input;
  const name = haproxyName(map);
  return `# Holdpoint: ${front}. HAProxy does not start without the file: touch ${map}
ring ${name}
    description "${fingerprint}"
    format raw
    maxlen ${lineBytes + Math.max(...Object.keys(input.upstreams).map((slot) => slot.length))}
    size ${ringBytes}
frontend ${name}
${binds(front, name)}
    mode http
    timeout client 60s
    # Where somebody reloads HAProxy all the same, clients that keep their connection lose no request.
    option idle-close-on-response
    option forwardfor
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    no option dontlog-normal
    # The ring keeps the first words, which are what is measured; whoever else gets this log has all of it.
    log ring@${name} format raw local0
    log-format "%[date(0,ms)] %ST %Ta %[var(txn.slot)] ${httplog}"
${bucketRules(sticky, front)}
    http-request set-var(txn.slot) var(txn.bucket),map_str(${map})
    http-request return status 503 content-type text/plain string "Nothing is deployed here yet." unless { var(txn.slot) -m found }
    use_backend ${name}_%[var(txn.slot)]
${Object.entries(input.upstreams)
  .map(([slot, upstream]) => backend(input.map, slot, upstream))
  .join('')}`;
}

function binds(front: string, name: string): string {
  const { protocol, hostname, port } = new URL(front);
  const tls = protocol === 'https:';
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  const hosts = hostname === 'localhost' ? ['127.0.0.1', '[::1]'] : [isAddress ? hostname : ''];
  const crt = tls ? ` ssl crt /etc/haproxy/${name}.pem` : '';
  const lines = hosts.map((host) => `    bind ${host}:${port || (tls ? '443' : '80')}${crt}`);
  return [...(tls ? ['    # Put the path of your certificate and key here.'] : []), ...lines].join('\n');
}

/** A request that names no user is drawn by itself. */
function bucketRules(sticky: Sticky | undefined, front: string): string {
  const drawn = `    http-request set-var(txn.bucket) rand(${bucketCount})`;
  const hashed = (user: string) => `    http-request set-var(txn.bucket) ${user},xxh32,mod(${bucketCount})`;
  if (sticky === undefined) return drawn;
  if (sticky === 'address') return hashed('src');
  if ('ownCookie' in sticky) return `${ownCookieRules(sticky.ownCookie, front)}\n${hashed('var(txn.user)')}`;
  const user = 'cookie' in sticky ? `req.cook(${sticky.cookie})` : `req.fhdr(${sticky.header})`;
  return `${drawn}\n${hashed(user)} if { ${user} -m found }`;
}

function ownCookieRules(cookie: string, front: string): string {
  const secure = front.startsWith('https:') ? '; Secure' : '';
  const attributes = `Path=/; Max-Age=${ownCookieSeconds}; HttpOnly; SameSite=Lax${secure}`;
  return `    http-request set-var(txn.user) req.cook(${cookie})
    http-request set-var(txn.new) bool(true) unless { var(txn.user) -m found }
    http-request set-var(txn.user) uuid() if { var(txn.new) -m bool }
    http-response add-header Set-Cookie "${cookie}=%[var(txn.user)]; ${attributes}" if { var(txn.new) -m bool }`;
}

/** One connection a request: connections to a slot are then its requests in flight, in old workers after a reload too. */
function backend(map: string, slot: Slot, upstream: string): string {
  return `backend ${haproxyBackend(map, slot)}
    mode http
    timeout connect 5s
    timeout server 60s
    timeout tunnel 1h
    option http-server-close
    server ${slot} ${upstream}
`;
}

import { bucketCount } from './buckets.ts';
import { ownCookieSeconds, type Sticky } from './sticky.ts';
import type { Upstreams } from './upstreams.ts';

/** Caddy's part of the front door, as the environment's `traffic` options and the target's places say it. */
export interface CaddyInput {
  /** URL that people use, without a path: `http://127.0.0.1:8080`, `https://shop.example.com`. */
  front: string;
  /** Absolute path of the access log, which Holdpoint reads to measure. */
  log: string;
  /** Absolute path of the folder in which Holdpoint keeps its file for Caddy. */
  folder: string;
  upstreams: Upstreams;
  /** Absent: each request is drawn by itself. */
  sticky?: Sticky | undefined;
}

/**
 * Name of the file in the folder that says where each bucket goes: 100 times `address:port`, separated by spaces. Without it nobody
 * is served, so that a first version gets no traffic before its probe.
 */
export const bucketsFile = 'buckets';
/** Answered by Caddy itself, never by the service, and never logged: what that file says, or `noBuckets`. */
export const bucketsPath = '/.holdpoint/buckets';
/** What it answers before anything was chosen. */
export const noBuckets = 'none';
/** Header by which the user's key gets to the choice of a bucket; taken away before the service sees it. */
export const keyHeader = 'X-Holdpoint-Key';

/**
 * The upstream of each bucket, a placeholder that Caddy fills in at each request. Caddy counts requests by this text,
 * for all sites together, so it has the first slot's address in it, which no other service can have.
 */
export function bucketUpstreams(upstreams: Upstreams): string[] {
  const first = Object.values(upstreams)[0]?.replaceAll(/[^A-Za-z0-9]/g, '-');
  return Array.from({ length: bucketCount }, (_, n) => `{bucket.${first}.${String(n).padStart(2, '0')}}`);
}

/** A whole Caddyfile for one service. `admin` is the loopback URL of Caddy's admin endpoint. */
export function caddyfile(input: CaddyInput & { admin: string }): string {
  const { hostname, port } = new URL(input.admin);
  return `{\n\tadmin ${hostname}:${port || '80'}\n\tpersist_config off\n}\n\n${caddySite(input)}`;
}

/**
 * The site's block, to paste into a Caddyfile. Where a request goes is read from a file at each request, so a switch
 * needs no reload of the configuration: a reload opens the listener anew, and that resets requests on kept connections.
 *
 * Caddy 2.11.2 or newer, since older ones do not count requests in flight by the address they went to; they refuse
 * the block, as they do not know `dir_mode`.
 */
export function caddySite(input: CaddyInput): string {
  const { front, log, folder } = input;
  return `${siteAddress(front)}
	log {
		output file ${quoted(log)} {
			mode 0640
			dir_mode 0750
			roll_size 100MiB
			roll_keep 5
			roll_uncompressed
		}
		format json
	}
	@deployed file {
		root ${quoted(folder)}
		try_files ${bucketsFile}
	}
	handle @deployed {
		handle ${bucketsPath} {
			log_skip
			respond ${quoted(`{file.${folder}/${bucketsFile}}`)}
		}
		handle {
${bucketRoutes(input)}
		}
	}
	handle ${bucketsPath} {
		log_skip
		respond ${noBuckets}
	}
	handle {
		respond "Nothing is deployed here yet." 503
	}
}
`;
}

/** Where Caddy listens on an IP address any host name is served, as the clients of a service behind it use many. */
function siteAddress(front: string): string {
  const { protocol, hostname, port, origin } = new URL(front);
  const isAddress = /^[\d.]+$|^\[/.test(hostname) || hostname === 'localhost';
  if (protocol !== 'http:' || !isAddress) return `${origin} {`;
  const bind = hostname === 'localhost' ? '127.0.0.1 ::1' : hostname;
  return `http://:${port || '80'} {\n\tbind ${bind}`;
}

/** `keepalive 1s`: shorter than any common server's own limit, or a POST meets a connection just being closed. */
function bucketRoutes({ front, folder, upstreams, sticky }: CaddyInput): string {
  const buckets = bucketUpstreams(upstreams).join(' ');
  const pattern = Array(bucketCount).fill('(\\S+)').join(' ');
  const addresses = Array.from({ length: bucketCount }, (_, n) => `\${${n + 1}}`).join(' ');
  const { before, policy, keyed } = choice(sticky, front.startsWith('https:'));
  return [
    ...before,
    `map ${quoted(`{file.${folder}/${bucketsFile}}`)} ${buckets} {`,
    `	"~^${pattern}$" ${addresses}`,
    '}',
    'log_append upstream {http.reverse_proxy.upstream.hostport}',
    `reverse_proxy ${buckets} {`,
    `	lb_policy ${policy}`,
    ...(keyed ? [`	header_up -${keyHeader}`] : []),
    '	transport http {',
    '		keepalive 1s',
    '	}',
    '}',
  ]
    .map((line) => `\t\t\t${line}`)
    .join('\n');
}

interface Choice {
  /** Lines that give each request its key. */
  before: string[];
  policy: string;
  /** Whether the key header is used. */
  keyed: boolean;
}

/** How a request finds its bucket: a hash of what the user is known by; at random where that is absent. */
function choice(sticky: Sticky | undefined, secure: boolean): Choice {
  if (sticky === undefined) return { before: [], policy: 'random', keyed: false };
  if (sticky === 'address') return { before: [], policy: 'client_ip_hash', keyed: false };
  if ('header' in sticky) return { before: [], policy: `header ${sticky.header}`, keyed: false };
  const policy = `header ${keyHeader}`;
  const given = `request_header ${keyHeader} {http.request.cookie.${'cookie' in sticky ? sticky.cookie : sticky.ownCookie}}`;
  if ('cookie' in sticky) return { before: [given], policy, keyed: true };
  const attributes = `Path=/; Max-Age=${ownCookieSeconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  const before = [
    given,
    `@new vars {http.request.cookie.${sticky.ownCookie}} ""`,
    `header @new +Set-Cookie "${sticky.ownCookie}={http.request.uuid}; ${attributes}"`,
    `request_header @new ${keyHeader} {http.request.uuid}`,
  ];
  return { before, policy, keyed: true };
}

function quoted(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text;
}

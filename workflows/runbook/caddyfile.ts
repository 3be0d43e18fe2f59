import type { Slot } from './plan.ts';

/** Caddy's part of the front door, as the environment's `traffic` options and the target's ports say it. */
export interface CaddyInput {
  /** URL that people use, without a path: `http://127.0.0.1:8080`, `https://shop.example.com`. */
  front: string;
  /** Absolute path of the access log, which Holdpoint reads to measure. */
  log: string;
  /** Absolute path of the folder in which Holdpoint keeps its flags. */
  folder: string;
  ports: Record<Slot, number>;
}

/** Name of the file in the folder whose existence sends all traffic to green. */
export const greenFlag = 'green';
/**
 * Says that a slot was chosen once. Without it nobody is served, so that a first version gets no traffic before its
 * probe.
 */
export const managedMarker = 'managed';
/** Answered by Caddy itself, never by the service, and never logged: the slot that serves now, or `noSlot`. */
export const slotPath = '/.holdpoint/slot';
/** What it answers before any slot was chosen. */
export const noSlot = 'none';

/** A whole Caddyfile for one service. `admin` is the loopback URL of Caddy's admin endpoint. */
export function caddyfile(input: CaddyInput & { admin: string }): string {
  const { hostname, port } = new URL(input.admin);
  return `{\n\tadmin ${hostname}:${port || '80'}\n\tpersist_config off\n}\n\n${caddySite(input)}`;
}

/**
 * The site's block, to paste into a Caddyfile (Caddy 2.8 or newer). Which slot serves is decided for each
 * request by whether a file exists, so a switch needs no reload of the configuration: a reload opens the
 * listener anew, and that resets requests on kept connections.
 */
export function caddySite(input: CaddyInput): string {
  return `${siteAddress(input.front)}
	log {
		output file ${quoted(input.log)} {
			mode 0640
			roll_size 100MiB
			roll_keep 5
			roll_uncompressed
		}
		format json
	}
	@green file {
		root ${quoted(input.folder)}
		try_files ${greenFlag}
	}
	handle @green {
${slotRoutes('green', input.ports)}
	}
	@blue file {
		root ${quoted(input.folder)}
		try_files ${managedMarker}
	}
	handle @blue {
${slotRoutes('blue', input.ports)}
	}
	handle ${slotPath} {
		log_skip
		respond ${noSlot}
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
function slotRoutes(slot: Slot, ports: Record<Slot, number>): string {
  return `		log_append slot ${slot}
		handle ${slotPath} {
			log_skip
			respond ${slot}
		}
		reverse_proxy 127.0.0.1:${ports[slot]} {
			transport http {
				keepalive 1s
			}
		}`;
}

function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}

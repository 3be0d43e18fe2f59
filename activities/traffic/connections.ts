import type { HostPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { isThisMachine } from '../hosts/this-machine.ts';

/** From where to where a proxy connects. */
export interface Connections {
  host: HostPort;
  /** The Docker container in which the proxy has a network of its own; null: it has the machine's. */
  container: string | null;
  /** IPv4 address and port that the proxy dials: `10.0.0.11:4001`. */
  to: string;
}

/**
 * How many connections there are to an address, seen from the dialing side: the requests in flight of a proxy that
 * keeps no idle ones. Never less than there are, since a connection that a server has not accepted yet counts, and so
 * does whoever else dials the address. Counted by grep where the proxy runs, so that only a number is sent, however
 * many connections there are. Throws `ConnectionsUnknown`, worth another try, `NoSuchCommand`
 * and `NotAnAddress`.
 */
export async function connectionsTo({ host, container, to }: Connections): Promise<number> {
  const inside = container === null ? [] : ['docker', 'exec', container];
  const command = [...inside, 'grep', '-shcE', rowOf(to), '/proc/net/tcp', '/proc/net/tcp6'];
  const { stdout, stderr } = await host.exec(command, { env: container === null ? {} : whichEngine(host) });
  const counts = stdout.trim().split('\n');
  // Without IPv6 there is one file, and grep's exit code complains of the other.
  if (counts.every((count) => /^\d+$/.test(count))) return counts.reduce((sum, count) => sum + Number(count), 0);
  throw notYet('ConnectionsUnknown', `Cannot count connections to ${to} on ${host.name}: ${stderr.trim() || stdout}`);
}

/** The docker command's own way to know its engine, where it is the worker's; a command gets nothing else of that. */
function whichEngine(host: HostPort): Record<string, string> {
  if (!isThisMachine(host)) return {};
  const names = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/**
 * Rows of `/proc/net/tcp` and `tcp6` (proc(5)) whose remote side is the address, with addresses as a little-endian
 * machine writes them, and whose state is 01 established, 02 or 03 being made. In all others, one side has ended.
 */
function rowOf(to: string): string {
  const [, address, port] = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(to) ?? [];
  if (!address) throw notAnAddress(to);
  const ipv4 = address
    .split('.')
    .reverse()
    .map((byte) => hex(Number(byte), 2))
    .join('');
  return `^ *[0-9]+: [0-9A-F]+:[0-9A-F]{4} (0000000000000000FFFF0000)?${ipv4}:${hex(Number(port), 4)} 0[123] `;
}

/** What a name means may change, and the proxy goes on with what it meant before: those would not be counted. */
function notAnAddress(to: string): Error {
  return refuse(
    'NotAnAddress',
    `${to} is no IPv4 address, and requests in flight are counted by that: say the machine's address. Only Caddy counts ` +
      'them itself.',
  );
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

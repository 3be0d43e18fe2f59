import type { HostPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';

/** From where to where a proxy connects. */
export interface Connections {
  host: HostPort;
  /** The Docker container in which the proxy has a network of its own; null: it has the machine's. */
  container: string | null;
  /** IPv4 address and port that the proxy dials. */
  address: string;
  port: number;
}

/**
 * How many connections there are to an address, seen from the dialing side: the requests in flight of a proxy that
 * keeps no idle ones. Never less than there are, since a connection that a server has not accepted yet counts, and so
 * does whoever else dials the address. Counted by grep where the proxy runs, so that only a number is sent, however
 * many connections there are. Throws `ConnectionsUnknown`, worth another try, and `NoSuchCommand`.
 */
export async function connectionsTo({ host, container, address, port }: Connections): Promise<number> {
  const inside = container === null ? [] : ['docker', 'exec', container];
  const command = [...inside, 'grep', '-shcE', rowOf(address, port), '/proc/net/tcp', '/proc/net/tcp6'];
  const { stdout, stderr } = await host.exec(command, { env: container === null ? {} : whichEngine() });
  const counts = stdout.trim().split('\n');
  // Without IPv6 there is one file, and grep's exit code complains of the other.
  if (counts.every((count) => /^\d+$/.test(count))) return counts.reduce((sum, count) => sum + Number(count), 0);
  throw notYet('ConnectionsUnknown', `Cannot count connections to ${address}:${port}: ${stderr.trim() || stdout}`);
}

/** The docker command's own way to know its engine; a command gets nothing else of the worker's environment. */
function whichEngine(): Record<string, string> {
  const names = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/**
 * Rows of `/proc/net/tcp` and `tcp6` (proc(5)) whose remote side is the address, with addresses as a little-endian
 * machine writes them, and whose state is 01 established, 02 or 03 being made. In all others, one side has ended.
 */
function rowOf(address: string, port: number): string {
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4) throw refuse('NotAnAddress', `${address} is no IPv4 address such as 127.0.0.1.`);
  const ipv4 = bytes
    .reverse()
    .map((byte) => hex(byte, 2))
    .join('');
  return `^ *[0-9]+: [0-9A-F]+:[0-9A-F]{4} (0000000000000000FFFF0000)?${ipv4}:${hex(port, 4)} 0[123] `;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

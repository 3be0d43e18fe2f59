/** Who listens on a port of this machine. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createConnection } from 'node:net';

/** Somebody takes connections on 127.0.0.1. Asked by connecting: binding would take the port from who just starts. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    // Whoever neither takes nor refuses the connection is there, and busy.
    socket.setTimeout(1_000, () => answer(true));
    // Where nobody listens, the system may pick this very port for the asking side, which then talks to itself.
    socket.once('connect', () => answer(socket.localPort !== port));
    socket.once('error', () => answer(false));
  });
}

/** The process that listens, for messages; null where the system does not say. */
export async function listenerOf(port: number): Promise<number | null> {
  const sockets = (await Promise.all(['tcp', 'tcp6'].map((table) => listeningSockets(table, port)))).flat();
  if (sockets.length === 0) return null;
  const wanted = new Set(sockets.map((inode) => `socket:[${inode}]`));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
    if (targets.some((target) => wanted.has(target))) return Number(pid);
  }
  return null;
}

/** Inodes from `/proc/net/tcp`: the second column ends in the port, the fourth is 0A for listening. */
async function listeningSockets(table: string, port: number): Promise<string[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(end) && row[3] === '0A').flatMap((row) => row[9] ?? []);
}

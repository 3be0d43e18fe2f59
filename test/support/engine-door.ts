import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as open, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';

/** Another socket of the shared engine that can be closed and opened again, as when the engine itself is restarted. */
export async function anEngineDoor() {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-door-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const { protocol, pathname, hostname, port } = new URL(inject('dockerHost'));
    const to = protocol === 'unix:' ? open(pathname) : open(Number(port), hostname);
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('error', () => {});
      socket.pipe(other);
    }
  });
  const unlock = () => new Promise<void>((resolve) => server.listen(path, resolve));
  const lock = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await unlock();
  onTestFinished(async () => {
    if (server.listening) await lock();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `unix://${path}`, lock, unlock };
}

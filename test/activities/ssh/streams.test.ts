import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { freePort } from '../../../parts/ports.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { aMachine } from './machine.ts';

async function anEcho(at: number | string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).pipe(socket));
  server.listen(...((typeof at === 'string' ? [at] : [at, '127.0.0.1']) as [number, string]));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

describe.each(['ssh', 'local'])('a stream, over %s', (kind) => {
  const reach = async (): Promise<HostPort> => (kind === 'ssh' ? (await aMachine()).host : createLocalHost());

  test('goes to a port and to a socket, as they are seen from there', async () => {
    const host = await reach();
    const [port, socket] = [await freePort(), join(temporaryFolder(), 's.sock')];
    await anEcho(port);
    await anEcho(socket);
    for (const to of [{ address: '127.0.0.1', port }, { socket }]) {
      const stream = await host.connect(to);
      stream.end('x'.repeat(1_000_000));
      expect(await text(stream)).toHaveLength(1_000_000);
    }
  });

  test('that nobody takes fails as it does in Node', async () => {
    const host = await reach();
    const refused = host.connect({ address: '127.0.0.1', port: await freePort() });
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(host.connect({ socket: '/none.sock' })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('a machine that forwards nothing says which setting forbids it', async () => {
  const { host } = await aMachine({ settings: ['AllowTcpForwarding no', 'AllowStreamLocalForwarding no'] });
  await expect(host.connect({ address: '127.0.0.1', port: 1 })).rejects.toThrow(/AllowTcpForwarding yes/);
});

test('a stream over a connection that breaks fails, and does not look like its end', async () => {
  const machine = await aMachine();
  const port = await freePort();
  await anEcho(port);
  const stream = await machine.host.connect({ address: '127.0.0.1', port });
  const failed = once(stream, 'never').catch((error) => error);
  machine.cut();
  expect(await failed).toMatchObject({ code: 'ECONNRESET' });
});

import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { connectionsTo } from '../../../activities/traffic/connections.ts';

const host = createLocalHost();
const sockets: Socket[] = [];
let server: Server;
let port: number;
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as { port: number }).port;
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

const count = (address = '127.0.0.1') => connectionsTo({ host, container: null, to: `${address}:${port}` });

async function dial(address: string): Promise<Socket> {
  const socket = connect({ port, host: address, allowHalfOpen: true });
  sockets.push(socket.on('error', () => {}));
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('only connections to this very address and port count, each once though both ends are on this machine', async () => {
  expect(await count()).toBe(0);
  for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.2', '::1']) await dial(address);
  expect(await count()).toBe(2);
  expect(await count('127.0.0.2')).toBe(1);
});

test('a program that speaks IPv6 to an IPv4 address is counted', async () => {
  await dial('::ffff:127.0.0.1');
  expect(await count()).toBe(1);
});

test('one that either end has closed is no longer counted', async () => {
  const [closedByUs, closedByThem] = [await dial('127.0.0.1'), await dial('127.0.0.1')];
  while (server.listening && sockets.length < 4) await sleep(5);
  closedByUs.end();
  const theirs = sockets.find(({ remotePort }) => remotePort === closedByThem.localPort);
  theirs?.end();
  while ((await count()) > 0) await sleep(5);
});

test('hundreds of connections are all counted', async () => {
  await Promise.all(Array.from({ length: 600 }, () => dial('127.0.0.1')));
  expect(await count()).toBe(600);
});

test('a container that is not there is no zero', async () => {
  const inside = connectionsTo({ host, container: 'holdpoint-test-no-such', to: `127.0.0.1:${port}` });
  await expect(inside).rejects.toMatchObject({ message: expect.stringMatching(/docker|connections to 127\.0\.0\.1/i) });
});

test('a name is no address: what it means may change under the connections', async () => {
  await expect(connectionsTo({ host, container: null, to: 'localhost:4001' })).rejects.toMatchObject({
    type: 'NotAnAddress',
    message: expect.stringMatching(/^localhost:4001 is no IPv4 address.*say the machine's address/),
  });
});

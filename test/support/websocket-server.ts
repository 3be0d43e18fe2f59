import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A real server that takes every WebSocket and says nothing on it. Returns its port; ends with the test. */
export async function startWebSocketServer(): Promise<number> {
  const server = createServer().unref();
  server.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'];
    // RFC 6455, section 4.2.2.
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => {}).on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An open WebSocket through a proxy. Throws what the proxy answered where it opened none. */
export async function openWebSocket(front: string): Promise<Socket> {
  const { hostname, port } = new URL(front);
  const socket = connect(Number(port), hostname);
  socket.write(
    'GET /socket HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [answer] = await once(socket, 'data');
  if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(String(answer));
  return socket;
}

import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';

const atOnce = 1_000;
const connections = 4;

/** So many thousand requests that HAProxy itself answers, since it has no map yet: a line each in its ring. */
export async function fillRing(front: string, thousands: number): Promise<void> {
  const port = Number(new URL(front).port);
  const get = 'GET / HTTP/1.1\r\nHost: shop\r\n';
  const asked = `${`${get}\r\n`.repeat(atOnce - 1)}${get}Connection: close\r\n\r\n`;
  let left = thousands;
  const client = async () => {
    while (left-- > 0) {
      const connection = connect(port, '127.0.0.1');
      connection.write(asked);
      await buffer(connection);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface Forwarder {
  /** The database's URL as containers, and this machine too, reach it. */
  url: string;
  close(): Promise<void>;
}

/** Lets containers reach a database that listens on loopback alone, through the gateway of their network. */
export async function forContainers(database: string, gateway: string): Promise<Forwarder> {
  const url = new URL(database);
  const port = Number(url.port);
  const server = createServer((asked) => {
    const answering = connect(port, '127.0.0.1');
    asked.pipe(answering).pipe(asked);
    asked.on('error', () => answering.destroy());
    answering.on('error', () => asked.destroy());
  });
  server.listen(0, gateway);
  await once(server, 'listening');
  url.hostname = gateway;
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

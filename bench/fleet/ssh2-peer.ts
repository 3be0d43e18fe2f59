import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import ssh2, { type Client } from 'ssh2';
import { commandsOf, quoted } from './commands.ts';
import type { Machines } from './machines.ts';

/**
 * The least that a script in the same language does: a connection to each machine, and one command after another over
 * it, on all machines at once. No job survives it, and no failed command is more than an error.
 */
export async function ssh2Loop(
  machines: Machines,
  round: string,
): Promise<{ connectedMs: number; commandsMs: number }> {
  const { hosts, key } = machines;
  const privateKey = readFileSync(key);
  const began = performance.now();
  const clients = await Promise.all(
    hosts.map(async ({ options: { host, port, user }, hostKey }) => {
      const client = new ssh2.Client();
      const [, wanted = ''] = hostKey.split(' ');
      const ready = once(client, 'ready');
      const hostVerifier = (given: Buffer) => given.toString('base64') === wanted;
      client.connect({ host, port, username: user, privateKey, hostVerifier, readyTimeout: 60_000 });
      client.setNoDelay(true);
      await ready;
      return client;
    }),
  );
  const connected = performance.now();
  const commands = commandsOf(machines, round).map(quoted);
  await Promise.all(
    clients.map(async (client) => {
      for (const command of commands) await exec(client, command);
    }),
  );
  const ended = performance.now();
  await Promise.all(
    clients.map((client) => {
      client.end();
      return once(client, 'close');
    }),
  );
  return { connectedMs: ended - began, commandsMs: ended - connected };
}

function exec(client: Client, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      channel.once('close', (code: unknown) => (code === 0 ? resolve() : reject(new Error(`${command}: ${code}`))));
      channel.resume().stderr.resume();
    });
  });
}

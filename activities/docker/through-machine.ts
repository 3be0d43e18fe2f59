/** A Docker engine on another machine, without a port of its own: its socket, through that machine's SSH server. */
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import type { HostPort } from '../../workflows/ports.ts';
import { createSshHost } from '../ssh/host.ts';

const usual = '/var/run/docker.sock';

/** What `ssh://user@host:port` names; everything else is as the worker's own `ssh` command has it. */
export function sshMachine(url: string): HostPort {
  const { username, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const options = {
    host,
    ...(username && { user: decodeURIComponent(username) }),
    ...(port && { port: Number(port) }),
  };
  return createSshHost({ machine: null, secrets: null }, options);
}

/** Options for dockerode, whose every request then goes through the machine to the socket there. */
export function throughMachine(machine: HostPort, socket: string): Docker.DockerOptions {
  const agent = new MachineAgent(() => machine.connect({ socket: socket || usual }));
  // docker-modem takes an agent, though its types do not say so.
  return { protocol: 'http', socketPath: undefined, host: 'docker', agent } as Docker.DockerOptions;
}

/** Keeps no connection for later: a new one is one round trip, and what is kept would hold the way to the machine. */
class MachineAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: false });
    this.#open = open;
  }

  override createConnection(_options: unknown, done: (error: Error | null, stream: Duplex) => void): undefined {
    this.#open().then(
      (stream) => done(null, stream),
      (error) => done(error, undefined as never),
    );
    return undefined;
  }
}

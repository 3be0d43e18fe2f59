import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { within } from '../support/bounded.ts';

/** How the clients of a load come: on connections that they keep, or on a new one for each request. */
export const connectionKinds = ['keep-alive', 'new'] as const;
export type Connections = (typeof connectionKinds)[number];

/** One request, and what became of it. */
export interface Sent {
  /** When it was sent, ms since the epoch, with a fraction. */
  at: number;
  /** null: never. */
  answeredAt: number | null;
  /** The version that answered; null: the proxy itself, or nobody. */
  version: string | null;
  /** null: it was answered. Else a 5xx, or why there was no whole answer. */
  lost: string | null;
}

const settleMs = 300;

/** Users of a front door, as load-process.mjs plays them, until `end`. */
export class Load {
  private readonly child: ChildProcess;

  private constructor(url: string, connections: Connections) {
    // What this process was started with (a loader of TypeScript) would slow its start.
    this.child = fork(script, [JSON.stringify({ url, connections })], { execArgv: [], serialization: 'advanced' });
  }

  static async start(url: string, connections: Connections): Promise<Load> {
    const load = new Load(url, connections);
    await within(30_000, 'the load does not begin', once(load.child, 'message'));
    await sleep(settleMs);
    return load;
  }

  /** Every request, in the order in which they were sent, once each has its answer. */
  async end(): Promise<Sent[]> {
    await sleep(settleMs);
    this.child.send('end');
    const [sent] = await within(30_000, 'the load does not end', once(this.child, 'message'));
    return sent as Sent[];
  }

  /** SIGKILL, where the bench fails meanwhile. May run twice. */
  kill(): void {
    this.child.kill('SIGKILL');
  }
}

const script = fileURLToPath(new URL('./load-process.mjs', import.meta.url));

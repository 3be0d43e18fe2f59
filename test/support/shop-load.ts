import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { askFront } from './front-load.ts';

interface Answer {
  /** When it was asked, ms since the epoch. */
  at: number;
  version: string | null;
  /** null: it got what it should have. */
  wrong: string | null;
}

/**
 * About 150 requests a second of clients that never ask twice: twelve on kept connections, six that open one for each
 * request, and six whose requests take 1.5 s. One request in three is a POST.
 */
export class ShopLoad {
  readonly answers: Answer[] = [];
  private readonly url: string;
  private readonly began = Date.now();
  private readonly agent = new Agent({ keepAlive: true });
  private readonly clients: Promise<void>[];
  private going = true;

  constructor(url: string) {
    this.url = url;
    const { agent } = this;
    const start = (count: number, own: Agent | false, pauseMs: number, slow = false) =>
      Array.from({ length: count }, (_, number) => this.client(number, own, pauseMs, slow));
    this.clients = [...start(12, agent, 110), ...start(6, false, 110), ...start(3, agent, 0, true)];
    this.clients.push(...start(3, false, 0, true));
  }

  /** Whatever was not answered as it should have been. */
  get lost(): string[] {
    return this.answers.flatMap(({ wrong }) => wrong ?? []);
  }

  /** Who answered what was asked since a moment, ms since the epoch. */
  versionsSince(at: number): (string | null)[] {
    return [...new Set(this.answers.filter((answer) => answer.at >= at).map(({ version }) => version))].sort();
  }

  /** Ends it, once every request has its answer. May run twice. */
  async stop(): Promise<{ sent: number; lost: string[]; perSecond: number }> {
    this.going = false;
    await Promise.all(this.clients);
    this.agent.destroy();
    const sent = this.answers.length;
    return { sent, lost: this.lost, perSecond: Math.round((1_000 * sent) / (Date.now() - this.began)) };
  }

  private async client(number: number, agent: Agent | false, pauseMs: number, slow: boolean): Promise<void> {
    for (let turn = number; this.going; turn++) {
      const method = turn % 3 === 0 && !slow ? 'POST' : 'GET';
      const path = slow ? '/slow?ms=1500' : method === 'POST' ? '/orders' : '/';
      const at = Date.now();
      const { outcome, slot: version } = await askFront(this.url + path, { method, agent });
      const expected = method === 'POST' ? '201' : '200';
      const how = agent ? 'kept' : 'fresh';
      const wrong = outcome === expected ? null : `${method} ${path} on a ${how} connection: ${outcome} of ${version}`;
      this.answers.push({ at, version, wrong });
      await sleep(pauseMs);
    }
  }
}

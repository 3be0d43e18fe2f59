import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  at: number;
  /** null: no answer at all. */
  status: number | null;
  version: string | null;
}

/** A steady load on the front door, over kept connections, a third of it POSTs; every answer is kept. */
export class Load {
  readonly answers: Answer[] = [];
  private running = true;
  private readonly done: Promise<void>[];
  private readonly agent = new Agent({ keepAlive: true });
  private readonly url: string;

  constructor(url: string, { clients = 4, pauseMs = 20 } = {}) {
    this.url = url;
    this.done = Array.from({ length: clients }, (_, index) => this.client(index, pauseMs));
  }

  /** Requests that got no answer, or a server error. */
  get lost(): Answer[] {
    return this.answers.filter(({ status }) => status === null || status >= 500);
  }

  get versions(): (string | null)[] {
    return [...new Set(this.answers.map(({ version }) => version))];
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.done);
    this.agent.destroy();
  }

  private async client(index: number, pauseMs: number): Promise<void> {
    for (let count = index; this.running; count += 1) {
      this.answers.push(await this.send(count % 3 === 0 ? 'POST' : 'GET'));
      await sleep(pauseMs);
    }
  }

  private send(method: string): Promise<Answer> {
    const { agent } = this;
    return new Promise((resolve) => {
      const give = (status: number | null, version: string | null) => resolve({ at: Date.now(), status, version });
      const sent = request(this.url, { method, agent, path: method === 'POST' ? '/orders' : '/' }, (response) => {
        const { statusCode = null, headers } = response;
        response.resume().on('end', () => give(statusCode, String(headers['x-version'] ?? '') || null));
        response.on('error', () => give(null, null));
      });
      sent.setTimeout(10_000, () => sent.destroy(new Error('no answer in 10 s')));
      sent.on('error', () => give(null, null));
      sent.end(method === 'POST' ? '{"sku":"test"}' : undefined);
    });
  }
}

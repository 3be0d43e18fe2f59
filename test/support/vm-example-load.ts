import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

interface Answer {
  /** When it was asked, ms since the epoch. */
  at: number;
  /** How long it took. */
  ms: number;
  version: string | null;
  /** null: it got what it should have. */
  wrong: string | null;
}

/**
 * About 120 requests a second of people who use the shop of examples/vm-systemd-gunicorn and never ask twice: eight on
 * kept connections, six that open one for each request, and four whose requests take 1.5 s. One in three is an order.
 */
export class ShopUsers {
  readonly answers: Answer[] = [];
  private readonly url: string;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly people: Promise<void>[];
  private going = true;

  constructor(url: string) {
    this.url = url;
    const people = (count: number, agent: Agent | false, slow: boolean) =>
      Array.from({ length: count }, (_, number) => this.person(number, agent, slow));
    this.people = [...people(8, this.agent, false), ...people(6, false, false)];
    this.people.push(...people(2, this.agent, true), ...people(2, false, true));
  }

  /** Whatever was not answered as it should have been. */
  get lost(): string[] {
    return this.answers.flatMap(({ wrong }) => wrong ?? []);
  }

  /** Orders that the shop said it had taken. */
  get orders(): number {
    return this.taken;
  }
  private taken = 0;

  /** Who answered what was asked since a moment, ms since the epoch. */
  versionsSince(at: number): (string | null)[] {
    return [...new Set(this.answers.filter((answer) => answer.at >= at).map(({ version }) => version))].sort();
  }

  /** The longest that one of the requests took which do not wait by themselves, ms. */
  get longest(): number {
    return Math.max(0, ...this.answers.map(({ ms }) => ms));
  }

  /** Ends it, once every request has its answer. May run twice. */
  async stop(): Promise<{ sent: number; lost: string[] }> {
    this.going = false;
    await Promise.all(this.people);
    this.agent.destroy();
    return { sent: this.answers.length, lost: this.lost };
  }

  private async person(number: number, agent: Agent | false, slow: boolean): Promise<void> {
    for (let turn = number; this.going; turn++) {
      const order = turn % 3 === 0 && !slow;
      const asked = order ? 'POST /orders' : slow ? 'GET /slow?ms=1500' : 'GET /';
      const at = Date.now();
      const { outcome, version } = await ask(this.url, asked, agent);
      const how = agent ? 'kept' : 'fresh';
      const wrong =
        outcome === (order ? '201' : '200') ? null : `${asked} on a ${how} connection: ${outcome} of ${version}`;
      if (order && !wrong) this.taken += 1;
      this.answers.push({ at, ms: Date.now() - at - (slow ? 1_500 : 0), version, wrong });
      await sleep(slow ? 0 : 110);
    }
  }
}

/** One request, never repeated. */
function ask(url: string, asked: string, agent: Agent | false): Promise<{ outcome: string; version: string | null }> {
  const [method, path] = asked.split(' ');
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve({ outcome: error.code ?? error.message, version: null });
    const sent = request(`${url}${path}`, { method, agent }, (response) => {
      const version = response.headers['x-version'];
      response.resume().on('error', failed);
      response.on('end', () => resolve({ outcome: `${response.statusCode}`, version: version ? `${version}` : null }));
    });
    sent.setTimeout(30_000, () => sent.destroy(new Error('no answer in 30 s')));
    sent.on('error', failed);
    sent.end(method === 'POST' ? '{"sku":"test"}' : undefined);
  });
}

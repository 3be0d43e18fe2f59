import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FrontLoad {
  /** Ends it, and waits for the answers that are due. */
  stop(): Promise<{ answered: number; lost: string[] }>;
}

export interface FrontAnswer {
  /** A status, or the error code where there was no answer. */
  outcome: string;
  /** Name of the slot that answered; null where the proxy itself did. */
  slot: string | null;
  cookies: string[];
}

/**
 * About 300 requests a second of clients that never ask twice: `kept` clients keep their connections, `fresh` ones open
 * one for each request. One request in three is a POST, one in twenty takes 400 ms. `lost`: whatever was no 200.
 */
export function startLoad(url: string, { kept, fresh }: { kept: number; fresh: number }): FrontLoad {
  const agent = new Agent({ keepAlive: true });
  let going = true;
  let answered = 0;
  const lost: string[] = [];
  const client = async (number: number) => {
    for (let turn = number; going; turn++) {
      const path = turn % 20 === 0 ? '/?ms=400' : '/';
      const method = turn % 3 === 0 ? 'POST' : 'GET';
      const { outcome } = await askFront(`${url}${path}`, { method, agent: number < kept ? agent : false });
      if (outcome === '200') answered += 1;
      else lost.push(`${method} on a ${number < kept ? 'kept' : 'fresh'} connection: ${outcome}`);
      await sleep(40);
    }
  };
  const clients = Array.from({ length: kept + fresh }, (_, number) => client(number));
  return {
    async stop() {
      going = false;
      await Promise.all(clients);
      agent.destroy();
      return { answered, lost };
    },
  };
}

export interface FrontQuestion {
  method?: string;
  /** false: a connection of its own. */
  agent?: Agent | false;
  headers?: Record<string, string>;
  /** The address from which the client asks. */
  localAddress?: string;
}

/** One request, never repeated. */
export function askFront(url: string, question: FrontQuestion = {}): Promise<FrontAnswer> {
  const { method = 'GET', agent = false, headers = {}, localAddress } = question;
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ outcome: error.code ?? error.message, slot: null, cookies: [] });
    const options = { method, agent, headers, ...(localAddress === undefined ? {} : { localAddress }) };
    const sent = request(url, options, (response) => {
      const slot = response.headers['x-version'];
      response.resume().on('error', failed);
      response.on('end', () =>
        resolve({
          outcome: String(response.statusCode),
          slot: typeof slot === 'string' ? slot : null,
          cookies: (response.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]!),
        }),
      );
    });
    sent.setTimeout(15_000, () => sent.destroy(new Error('no answer in 15 s')));
    sent.on('error', failed);
    sent.end(method === 'POST' ? 'x'.repeat(500) : undefined);
  });
}

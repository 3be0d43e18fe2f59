import { Agent, request } from 'node:http';

export interface Load {
  /** Ends it, and waits for the answers that are due. */
  stop(): Promise<LoadResult>;
}

export interface LoadResult {
  answered: number;
  /** Everything but a 200: status or error code. */
  lost: string[];
}

/** Clients that keep their connections and never ask twice: one in three a POST, one in twenty slow. */
export function startLoad(url: string, clients: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const result: LoadResult = { answered: 0, lost: [] };
  let going = true;
  const client = async (first: number) => {
    for (let turn = first; going; turn++) {
      const path = turn % 20 === 0 ? '/?ms=400' : '/';
      const outcome = await once(agent, `${url}${path}`, turn % 3 === 0 ? 'POST' : 'GET');
      if (outcome === '200') result.answered += 1;
      else result.lost.push(outcome);
    }
  };
  const running = Array.from({ length: clients }, (_, i) => client(i));
  return {
    async stop() {
      going = false;
      await Promise.all(running);
      agent.destroy();
      return result;
    },
  };
}

function once(agent: Agent, url: string, method: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, method }, (response) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
      response.on('error', (error) => resolve(error.message));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(method === 'POST' ? 'x'.repeat(500) : undefined);
  });
}

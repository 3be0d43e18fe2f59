import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasEnded, startProgram } from './children.ts';
import type { CleanUp } from './clean-up.ts';

/** One request of the load and what came back. */
export interface Answer {
  /** When it was sent, ms since the epoch. */
  at: number;
  /** Until the end of the answer. */
  ms: number;
  method: 'GET' | 'POST';
  /** null: no answer. */
  status: number | null;
  /** `x-version` of the release that answered. */
  version: string | null;
  error?: string;
}

export interface Traffic {
  /** So far, in the order in which they ended. */
  answers: Answer[];
  /** Waits for the requests in flight. May run twice. */
  stop(): Promise<void>;
}

export const perSecond = 60;

/** A request is lost when it gets no answer, or one that blames the server. */
export const isLost = ({ status }: Answer) => status === null || status >= 500;

/** The load on the front door, from now on until `stop`. */
export async function startTraffic(cleanUp: CleanUp, front: string): Promise<Traffic> {
  const args = [fileURLToPath(new URL('./load.js', import.meta.url)), front, String(perSecond)];
  const child = await startProgram(cleanUp, { command: process.execPath, args, env: process.env });
  const answers: Answer[] = [];
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => answers.push(JSON.parse(line) as Answer));
  const read = once(lines, 'close');
  child.stderr!.pipe(process.stderr);
  return {
    answers,
    async stop() {
      if (!hasEnded(child)) child.kill('SIGTERM');
      await read;
    },
  };
}

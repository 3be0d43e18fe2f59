import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startProgram } from './children.ts';
import type { CleanUp } from './clean-up.ts';
import type { Places } from './places.ts';
import { quote, typed } from './say.ts';

export interface Ended {
  code: number | null;
  /** All that it printed. */
  text: string;
}

/** The real command line, as processes of their own. */
export class Holdpoint {
  private readonly cleanUp: CleanUp;
  private readonly places: Places;
  private readonly env: NodeJS.ProcessEnv;

  constructor(cleanUp: CleanUp, places: Places, env: NodeJS.ProcessEnv) {
    this.cleanUp = cleanUp;
    this.places = places;
    this.env = env;
  }

  /** Runs a command to its end and shows what it prints. */
  async run(...words: string[]): Promise<Ended> {
    return await (await this.begin(...words)).ended;
  }

  /** The same, without waiting for its end. */
  async begin(...words: string[]): Promise<{ ended: Promise<Ended> }> {
    typed(['holdpoint', ...words]);
    const args = [this.places.cli, ...words];
    const cwd = this.places.shop;
    const child = await startProgram(this.cleanUp, { command: process.execPath, args, env: this.env, cwd });
    return { ended: showing(child) };
  }

  /** A worker; it prints into a file. */
  worker(): Promise<ChildProcess> {
    const args = [this.places.cli, 'worker', '--environments', this.places.environments];
    const log = this.places.workerLog;
    return startProgram(this.cleanUp, { command: process.execPath, args, env: this.env, log });
  }
}

async function showing(child: ChildProcess): Promise<Ended> {
  const lines: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      lines.push(line);
      quote(line);
    }
  };
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await Promise.all([read(child.stdout!), read(child.stderr!)]);
  return { code: await code, text: lines.join('\n') };
}

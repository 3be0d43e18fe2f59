import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startProgram } from './children.ts';
import type { CleanUp } from './clean-up.ts';
import type { Places } from './places.ts';
import { quote, typed } from './say.ts';

/** A command that runs or has run. */
export interface Command {
  /** What it has printed so far, also shown. */
  lines: string[];
  /** Its exit code; null where a signal ended it. */
  ended: Promise<number | null>;
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

  /** Starts a command in the shop's folder and shows what it prints. */
  async begin(...words: string[]): Promise<Command> {
    typed(['holdpoint', ...words]);
    const args = [this.places.cli, ...words];
    const program = { command: process.execPath, args, env: this.env, cwd: this.places.shop };
    return showing(await startProgram(this.cleanUp, program));
  }

  /** The same, to its end. Throws where that is not a success. */
  async run(...words: string[]): Promise<string[]> {
    const { lines, ended } = await this.begin(...words);
    const code = await ended;
    if (code !== 0) throw new Error(`holdpoint ${words[0]} ended with ${code}`);
    return lines;
  }

  /** A worker; it prints into a file. */
  worker(): Promise<ChildProcess> {
    const args = [this.places.cli, 'worker', '--environments', this.places.environments];
    const log = this.places.workerLog;
    return startProgram(this.cleanUp, { command: process.execPath, args, env: this.env, log });
  }
}

function showing(child: ChildProcess): Command {
  const lines: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      lines.push(line);
      quote(line);
    }
  };
  const code = once(child, 'exit').then(([status]: (number | null)[]) => status ?? null);
  const ended = Promise.all([code, read(child.stdout!), read(child.stderr!)]).then(([status]) => status);
  return { lines, ended };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

/** Before the effect of each activity, after it, or by turns. */
export type Kills = 'before' | 'after' | 'in turn';

export interface WorkerOptions {
  address: string;
  taskQueue: string;
  environments: string;
  /** Where a crashing worker notes what it crashed in. */
  journal: string;
  /** When it crashes in each activity, or in which one it hangs. */
  when?: Kills | `hang:${string}`;
  /** The Node that runs it; this one as a rule. */
  node?: string;
  /** Beside this process's own. */
  env?: Record<string, string>;
}

/** The product's worker in a process of its own, started again whenever it dies, until it is stopped. */
export class WorkerProcess {
  private child: ChildProcess;
  private stopped = false;
  private readonly options: WorkerOptions;
  output = '';

  constructor(options: WorkerOptions) {
    this.options = options;
    writeFileSync(options.journal, '', { flag: 'a' });
    this.child = this.start();
  }

  /** What it crashed in so far: `before 7 shiftTraffic`. */
  get crashes(): string[] {
    return readFileSync(this.options.journal, 'utf8').trim().split('\n').filter(Boolean);
  }

  /** Lets the activity that hangs go on. */
  letGo(): void {
    writeFileSync(`${this.options.journal}.go`, '');
  }

  /** SIGKILL, from outside; a new one starts by itself. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  private start(): ChildProcess {
    const { address, taskQueue, environments, when = '', journal, node = process.execPath, env = {} } = this.options;
    const child = spawn(node, [script, taskQueue, environments, when, journal], {
      env: {
        ...process.env,
        ...env,
        TEMPORAL_ADDRESS: address,
        HOLDPOINT_POSTGRES_BIN: inject('postgresBin'),
        PATH: path,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.output += text));
    child.once('exit', () => {
      if (!this.stopped) this.child = this.start();
    });
    const endWithThisProcess = () => child.kill('SIGKILL');
    process.once('exit', endWithThisProcess);
    child.once('exit', () => process.off('exit', endWithThisProcess));
    return child;
  }
}

const modules = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
/** With dbmate, as a release that brings its own would have it. */
const path = `${modules}${delimiter}${process.env.PATH}`;
const script = fileURLToPath(new URL('./crashing-worker.mjs', import.meta.url));

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** An activity began or ended in a worker. */
export interface Sight {
  moment: 'begin' | 'end';
  activity: string;
  /** Workflow id. */
  run: string;
  /** One execution of it. */
  runId: string;
  /** ms since the epoch, with a fraction. */
  at: number;
}

export interface WorkerKind {
  /** `product`: as `holdpoint worker`; see worker-process.mjs for the others. */
  kind: 'product' | 'defaults' | 'idle' | 'bare';
  taskQueue: string;
  environments?: string;
  /** Of `bare`: file of its workflows. */
  bundle?: string;
  /** Of `idle`: file with the plan of every deploy. */
  plan?: string;
}

/** A worker process that is seen working and can be killed. */
export class BenchWorker {
  readonly sights: Sight[] = [];
  private child: ChildProcess;
  private readonly address: string;
  private readonly kind: WorkerKind;

  constructor(address: string, kind: WorkerKind) {
    this.address = address;
    this.kind = kind;
    this.child = this.start();
  }

  /** Process id of the one that works now. */
  get pid(): number {
    return this.child.pid!;
  }

  /** SIGKILL, and a new one at once, as a supervisor would. Returns when it was killed, in ms since the epoch. */
  killAndReplace(): number {
    const at = performance.timeOrigin + performance.now();
    this.child.kill('SIGKILL');
    this.child = this.start();
    return at;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  private start(): ChildProcess {
    // What this process was started with (a loader of TypeScript) would slow the worker's start.
    const child = fork(script, [JSON.stringify(this.kind)], {
      execArgv: [],
      env: { ...process.env, TEMPORAL_ADDRESS: this.address, TEMPORAL_NAMESPACE: 'default' },
    });
    child.on('message', (sight) => this.sights.push(sight as Sight));
    child.once('exit', (code) => {
      if (code !== null) console.error(`A ${this.kind.kind} worker ended by itself with exit code ${code}.`);
    });
    return child;
  }
}

const script = fileURLToPath(new URL('./worker-process.mjs', import.meta.url));

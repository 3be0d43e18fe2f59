import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endTogether } from '../../parts/end-together.ts';
import { isListening } from '../../parts/ports.ts';
import { lastLines } from '../../parts/processes.ts';

export interface ForegroundOptions {
  /** argv. Names the test's folder somewhere, so that only this process is ended with the test. */
  command: string[];
  /** Collects what it prints, from all its starts. */
  log: string;
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Whether it answers now. */
  ready: () => Promise<boolean>;
}

/** A server that stays in the foreground, with the processes it has below it. Ends with the test, however that ends. */
export interface Foreground {
  /** Of its first process; another one after `startAgain`. */
  readonly pid: number;
  /** The orderly end, SIGTERM unless told otherwise; returns when it is gone. May run twice. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** SIGKILL, for all its processes. May run twice. */
  kill(): Promise<void>;
  /** After `stop` or `kill`, on the same configuration; returns once it answers. */
  startAgain(): Promise<void>;
}

/** For the rest of a group to end, 5 ms apart. */
const mostLooks = 1_000;

/** Starts it; returns once it answers. Throws with the end of its log where it ends before that. */
export async function startForeground(options: ForegroundOptions): Promise<Foreground> {
  let running = await launch(options);
  const end = async (pid: number, signal: NodeJS.Signals) => {
    if (!running.ended) {
      process.kill(pid, signal);
      await running.gone;
      // Its first process may be gone before the others of its group are, which hold its ports.
      for (let left = mostLooks; left > 0 && livesAny(running.pid); left--) await sleep(5);
    }
    running.callOff();
  };
  return {
    get pid() {
      return running.pid;
    },
    stop: (signal = 'SIGTERM') => end(running.pid, signal),
    kill: () => end(-running.pid, 'SIGKILL'),
    startAgain: async () => {
      running = await launch(options);
    },
  };
}

async function launch({ command, log, cwd, env, ready }: ForegroundOptions) {
  const [program, ...args] = command;
  const output = openSync(log, 'a');
  // A group of its own, so that all its processes can be killed together.
  const child = spawn(program!, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const running = { pid: 0, ended: false, gone: once(child, 'exit'), callOff: () => {} };
  child.once('exit', () => {
    running.ended = true;
  });
  await once(child, 'spawn');
  running.pid = child.pid!;
  running.callOff = endTogether(child.pid!, cwd, 'TERM');
  while (!(await ready())) {
    if (running.ended) throw new Error(`${program} ended:\n${lastLines(log)}`);
    await sleep(10);
  }
  return running;
}

/** Whether anybody lives in a group; one that nobody has reaped does not. */
function livesAny(group: number): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state = '', , own] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(own) === group && !/[ZXx]/.test(state);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

/** Ready when it listens on all these ports of 127.0.0.1, and these sockets are there. */
export function listens(ports: number[], sockets: string[] = []): () => Promise<boolean> {
  return async () => {
    for (const port of ports) if (!(await isListening(port))) return false;
    return sockets.every((socket) => existsSync(socket));
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { endTogether } from '../parts/end-together.ts';
import type { CleanUp } from './clean-up.ts';

export interface Program {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Where it prints to; absent: stdout and stderr can be read. */
  log?: string;
}

/**
 * Starts a program in a group of its own: Ctrl-C in the terminal does not reach it, and the whole group is ended with
 * the demo, also when the demo is killed. Throws where it cannot be run.
 */
export async function startProgram(cleanUp: CleanUp, { command, args, env, cwd, log }: Program): Promise<ChildProcess> {
  cleanUp.demandOpen();
  const output = log === undefined ? 'pipe' : openSync(log, 'a', 0o600);
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', output, output] });
  if (typeof output === 'number') closeSync(output);
  cleanUp.add(() => endGroup(child));
  await once(child, 'spawn');
  const callOff = endTogether(child.pid!, args[0] ?? command, 'KILL');
  child.once('exit', callOff);
  return child;
}

/** SIGKILL to the group, unless it is gone; resolves when its first process is. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the running `holdpoint dev` can be found. */
export interface DevState {
  pid: number;
  address: string;
  namespace: string;
  ui: string;
  /** ms since the epoch. */
  startedAt: number;
}

/** `$HOLDPOINT_HOME`, else `$XDG_STATE_HOME/holdpoint`, else `~/.local/state/holdpoint`. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOLDPOINT_HOME) return env.HOLDPOINT_HOME;
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'holdpoint');
}

/** The dev server that runs now; null where none does, also where one died without a word. */
export function readDevState(folder = stateFolder()): DevState | null {
  try {
    const state = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as DevState;
    return isAlive(state.pid) ? state : null;
  } catch {
    return null;
  }
}

/** Whole or not at all. */
export function writeDevState(state: DevState, folder = stateFolder()): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${fileIn(folder)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, fileIn(folder));
}

export function removeDevState(folder = stateFolder()): void {
  rmSync(fileIn(folder), { force: true });
}

function fileIn(folder: string): string {
  return join(folder, 'dev.json');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateHome } from '../configuration/state-home.ts';

/** Where the running `holdpoint dev` can be found. */
export interface DevState {
  pid: number;
  address: string;
  namespace: string;
  ui: string;
  /** ms since the epoch. */
  startedAt: number;
}

/** The dev server that runs now; null where none does, also where one died without a word. */
export function readDevState(folder = stateHome()): DevState | null {
  try {
    const state = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as DevState;
    return isAlive(state.pid) ? state : null;
  } catch {
    return null;
  }
}

/** Whole or not at all. */
export function writeDevState(state: DevState, folder = stateHome()): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${fileIn(folder)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, fileIn(folder));
}

export function removeDevState(folder = stateHome()): void {
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

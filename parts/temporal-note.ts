import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from './processes.ts';

/** What is remembered beside the database about the dev server that was started last. */
export interface Note {
  pid: number;
  port: number;
  uiPort: number | null;
}

/** The server that runs on this database now, or null. */
export function readNote(folder: string, database: string): Note | null {
  try {
    const note = JSON.parse(readFileSync(noteFile(folder), 'utf8')) as Note;
    return isRunning(note.pid, database) ? note : null;
  } catch {
    return null;
  }
}

/** Whole or not at all. */
export function writeNote(folder: string, note: Note): void {
  const draft = `${noteFile(folder)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(note));
  renameSync(draft, noteFile(folder));
}

function noteFile(folder: string): string {
  return join(folder, 'temporal-server.json');
}

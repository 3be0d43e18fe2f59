import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { checkDocument } from '../../configuration/check-document.ts';
import { renderProblems } from '../../configuration/render-problems.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { runbookDocument } from './runbook-document.ts';

export interface LoadedRunbook {
  runbook: Runbook;
  /** Absolute path of the file, and of the folder it is in. */
  file: string;
  folder: string;
}

/** Reads and checks a runbook. Throws a `Problem` that lists everything wrong with it; starts nothing. */
export function loadRunbook(path: string): LoadedRunbook {
  const file = resolve(path);
  const text = readRunbook(path);
  const { value: runbook, problems } = checkDocument(text, runbookDocument);
  if (runbook) return { runbook, file, folder: dirname(file) };
  throw new Problem(exitCodes.invalidRunbook, renderProblems(path, text, problems), [], { file, problems });
}

/**
 * The service's name, read without checking the rest: a runbook edited in the middle of a deploy must not
 * keep anyone from answering or stopping it. Throws a `Problem` where there is no name.
 */
export function readServiceName(path: string): string {
  const name: unknown = parseDocument(readRunbook(path), { prettyErrors: false }).get('service');
  if (typeof name === 'string' && name !== '') return name;
  throw new Problem(exitCodes.invalidRunbook, `${path} names no service.`, [
    'Add `service: <name>` to it, or say which one: --service <name>',
  ]);
}

function readRunbook(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new Problem(exitCodes.invalidRunbook, `There is no runbook at ${resolve(path)}.`, [
        'Write one to start from: holdpoint init',
        'Or say where it is:      --file path/to/holdpoint.yaml',
      ]);
    }
    const why =
      code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'reading it is not permitted' : String(error);
    throw new Problem(exitCodes.invalidRunbook, `The runbook ${resolve(path)} cannot be read: ${why}.`);
  }
}

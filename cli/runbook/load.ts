import { dirname, resolve } from 'node:path';
import { checkDocument } from '../../configuration/check-document.ts';
import { renderProblems } from '../../configuration/render-problems.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { readText } from './read-text.ts';
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
  const text = readText(path);
  const { value: runbook, problems } = checkDocument(text, runbookDocument);
  if (runbook) return { runbook, file, folder: dirname(file) };
  throw new Problem(exitCodes.invalidRunbook, renderProblems(path, text, problems), [], { file, problems });
}

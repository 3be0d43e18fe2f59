import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { type Runbook, runbookSchema } from '../../workflows/runbook/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { renderProblems } from '../render/problems.ts';
import { positionsIn } from './position.ts';
import { problemsOf, type RunbookProblem } from './problems.ts';
import { runbookExpectations } from './runbook-expectations.ts';
import { syntaxProblems } from './syntax.ts';

export interface LoadedRunbook {
  runbook: Runbook;
  /** Absolute path of the file, and of the folder it is in. */
  file: string;
  folder: string;
}

export type Checked = { runbook: Runbook; problems: [] } | { runbook: null; problems: RunbookProblem[] };

/** Checks the text of a runbook; every problem at once, in the order of its lines. Pure. */
export function checkRunbook(text: string): Checked {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = positionsIn(doc, lines, text);
  if (doc.errors.length > 0) return { runbook: null, problems: syntaxProblems(doc, text, at) };
  if (doc.contents === null) return { runbook: null, problems: [nothingIn] };
  let document: unknown;
  try {
    document = doc.toJS();
  } catch (error) {
    const message = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
    return {
      runbook: null,
      problems: [{ ...nothingIn, message, expected: null, hint: 'write the value out instead of `*name`' }],
    };
  }
  const result = runbookSchema.safeParse(document);
  return result.success
    ? { runbook: result.data, problems: [] }
    : { runbook: null, problems: problemsOf(result.error.issues, document, at, runbookExpectations()) };
}

const nothingIn: RunbookProblem = {
  line: 1,
  column: 1,
  length: 1,
  path: '',
  message: 'the runbook is empty',
  found: null,
  expected: 'service, prepare and rollout at least',
  hint: '`holdpoint init --force` writes one to start from',
  about: null,
  example: null,
};

/** Reads and checks a runbook. Throws a `Problem` that lists everything wrong with it; starts nothing. */
export function loadRunbook(path: string): LoadedRunbook {
  const file = resolve(path);
  const text = readRunbook(path);
  const checked = checkRunbook(text);
  if (checked.runbook) return { runbook: checked.runbook, file, folder: dirname(file) };
  throw new Problem(exitCodes.invalidRunbook, renderProblems(path, text, checked.problems), [], {
    file,
    problems: checked.problems,
  });
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

import { parseDocument } from 'yaml';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { readText } from './read-text.ts';

/**
 * The service's name, read without checking the rest: a runbook edited in the middle of a deploy must not
 * keep anyone from answering or stopping it. Throws a `Problem` where there is no name.
 */
export function readServiceName(path: string): string {
  const name: unknown = parseDocument(readText(path), { prettyErrors: false }).get('service');
  if (typeof name === 'string' && name !== '') return name;
  throw new Problem(exitCodes.invalidRunbook, `${path} names no service.`, [
    'Add `service: <name>` to it, or say which one: --service <name>',
  ]);
}

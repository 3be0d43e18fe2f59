import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';

/** The runbook's text. Throws a `Problem` where there is none, or it cannot be read. */
export function readText(path: string): string {
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

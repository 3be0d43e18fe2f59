import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a server's configuration file if the server itself finds it right: `check` is argv, and ends with 0 then.
 * Otherwise throws what it says, and the file is as it was.
 */
export function writeChecked(file: string, text: string, check: string[]): void {
  const before = existsSync(file) ? readFileSync(file) : null;
  writeFileSync(file, text);
  const [program, ...args] = check;
  try {
    execFileSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (before === null) rmSync(file);
    else writeFileSync(file, before);
    throw new Error((error as { stderr?: string }).stderr || (error as Error).message);
  }
}

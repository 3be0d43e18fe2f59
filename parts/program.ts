import { type SpawnOptions, spawn } from 'node:child_process';

/** Runs a program to its end. Throws the last line that it wrote to stderr, unless it ends with 0. */
export function runProgram(
  command: string,
  args: string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}

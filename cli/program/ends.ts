import type { ExitCode } from '../exit-codes.ts';

/** A commander action out of one that returns its exit code. */
export function ends<T extends unknown[]>(work: (...args: T) => Promise<ExitCode>): (...args: T) => Promise<void> {
  return async (...args) => {
    process.exitCode = await work(...args);
  };
}

/** Examples below a command's help: command and what it is for. */
export function examples(...lines: [command: string, what: string][]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`).join('\n')}\n`;
}

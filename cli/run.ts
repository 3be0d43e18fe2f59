import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { Problem } from './problem.ts';
import { buildProgram } from './program/index.ts';
import { complain, printJson } from './terminal.ts';

/** Runs one command line; the exit code is left in `process.exitCode`. Never throws. */
export async function run(argv: string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = tell(error, argv.includes('--json'));
  }
}

/** Says what went wrong, on stderr, and with `--json` as an object on stdout too. Returns the exit code. */
function tell(error: unknown, json: boolean): number {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
  if (error instanceof Problem) {
    complain([error.message, ...error.next.map((line) => `  ${line}`)].join('\n'));
    if (json)
      printJson({
        error: { exitCode: error.exitCode, message: error.message, next: error.next, details: error.details },
      });
    return error.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  complain(`Unexpected error: ${message}`);
  complain(process.env.HOLDPOINT_DEBUG ? (stack ?? '') : '  HOLDPOINT_DEBUG=1 shows where it comes from.');
  if (json) printJson({ error: { exitCode: exitCodes.unexpected, message, next: [] } });
  return exitCodes.unexpected;
}

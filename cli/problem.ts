import type { ExitCode } from './exit-codes.ts';

/** An expected end of a command that is not a success: said plainly, without a stack. */
export class Problem extends Error {
  readonly exitCode: ExitCode;
  /** What to do next, a sentence or a command a line. */
  readonly next: string[];
  /** For `--json`: whatever a script can use. */
  readonly details: unknown;

  constructor(exitCode: ExitCode, message: string, next: string[] = [], details?: unknown) {
    super(message);
    this.name = 'Problem';
    this.exitCode = exitCode;
    this.next = next;
    this.details = details;
  }
}

/** Writes a line (or lines) to stdout: what the command is for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes to stderr: errors, and progress that a pipe should not swallow. */
export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One object a line, for streams of changes. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { jsonSchemaText } from '../../configuration/json-schema.ts';
import { runbookSchema } from '../../workflows/runbook/schema.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { complain } from '../terminal.ts';

/** Writes the runbook's JSON Schema to stdout or a file, for editors. */
export function schema(options: { out?: string }): ExitCode {
  const text = jsonSchemaText(runbookSchema);
  if (options.out) {
    mkdirSync(dirname(options.out), { recursive: true });
    writeFileSync(options.out, text);
    complain(`Written to ${options.out}`);
  } else process.stdout.write(text);
  return exitCodes.succeeded;
}

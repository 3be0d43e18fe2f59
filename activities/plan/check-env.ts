import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { refuse } from '../failures.ts';

/** Every name of the example is in the file, as `prepare.env` wants it. Values stay where they are. Throws `EnvIncomplete`. */
export async function checkEnv({ prepare }: Runbook, folder: string): Promise<void> {
  if (!prepare.env) return;
  const { example, file } = prepare.env;
  const wanted = await namesIn(resolve(folder, example));
  const given = await namesIn(resolve(folder, file));
  const missing = wanted.filter((name) => !given.includes(name));
  if (missing.length === 0) return;
  throw refuse(
    'EnvIncomplete',
    `${resolve(folder, file)} lacks ${missing.join(', ')}, which ${example} has. Add ${missing.length > 1 ? 'them' : 'it'}; nothing was touched.`,
  );
}

async function namesIn(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('EnvIncomplete', `cannot read ${path} (${error.code}), which prepare.env names`);
  });
  return Object.keys(parseEnv(text));
}

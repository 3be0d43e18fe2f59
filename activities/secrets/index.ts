import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { SecretSource } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { Mask } from './mask.ts';

export interface Secrets {
  /**
   * Values by name, from the first source that has one; an empty value counts as none. Files are read anew each time.
   * Every value found is masked from then on.
   * @throws `SecretMissing` with all missing names and where was looked
   */
  resolve(names: string[]): Promise<Record<string, string>>;
}

/** Secrets from `sources`, in their order. */
export function createSecrets(sources: SecretSource[], mask: Pick<Mask, 'add'>): Secrets {
  return {
    async resolve(names) {
      const found: Record<string, string> = Object.create(null);
      const looked: string[] = [];
      for (const source of sources) {
        const { where, values } = await read(source, names);
        looked.push(where);
        for (const name of names) {
          const value = Object.hasOwn(values, name) ? values[name] : undefined;
          if (!found[name] && value) found[name] = value;
        }
      }
      for (const value of Object.values(found)) mask.add(value);
      const missing = names.filter((name) => !found[name]);
      if (missing.length === 0) return { ...found };
      throw refuse(
        'SecretMissing',
        `No value for ${missing.join(', ')}. Looked in: ${looked.join('; ') || 'nothing, since no source is configured'}. ` +
          'Set it in one of these, or correct its name in the runbook.',
      );
    },
  };
}

interface Found {
  where: string;
  values: Record<string, string | undefined>;
}

async function read(source: SecretSource, names: string[]): Promise<Found> {
  if (source === 'environment') return { where: "the worker's environment", values: { ...process.env } };
  if ('dotenv' in source) {
    const { text, problem } = await readText(source.dotenv);
    return { where: `${source.dotenv}${problem}`, values: parseEnv(text) };
  }
  const values: Found['values'] = {};
  const problems = new Set<string>();
  for (const name of names.filter((name) => /^\w+$/.test(name))) {
    const { text, problem } = await readText(join(source.folder, name));
    values[name] = text.replace(/\r?\n$/, '');
    if (problem && !problem.includes('no such file')) problems.add(problem);
  }
  return { where: `the folder ${source.folder}${[...problems].join('')}`, values };
}

async function readText(path: string): Promise<{ text: string; problem: string }> {
  try {
    return { text: await readFile(path, 'utf8'), problem: '' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { text: '', problem: code === 'ENOENT' ? ' (no such file)' : ` (${code})` };
  }
}

import { parse } from 'yaml';
import { z } from 'zod';

export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: string[] };

export function parseDocument<S extends z.ZodType>(
  text: string,
  { file, schema }: { file: string; schema: S },
): Parsed<z.output<S>> {
  const result = schema.safeParse(parse(text));
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: [`${file}:\n${z.prettifyError(result.error)}`] };
}

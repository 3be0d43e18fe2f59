import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { expectationsOf } from './expectations.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { positionsIn } from './position.ts';
import { type DocumentProblem, problemsOf } from './problems.ts';
import { syntaxProblems } from './syntax.ts';

/** A kind of YAML file that people write. */
export interface DocumentKind<S extends z.ZodType = z.ZodType> {
  /** In a sentence: `the runbook`. */
  name: string;
  schema: S;
  /** A line that would be right at a path, where the schema gives no example; null where none is known. */
  exampleAt?(path: readonly PropertyKey[]): string | null;
  /** What to say of a file without anything in it. */
  empty: { expected: string; hint: string };
}

export type Checked<T> = { value: T; problems: [] } | { value: null; problems: DocumentProblem[] };

/** Checks the text of a document; every problem at once, in the order of its lines. Pure, throws nothing. */
export function checkDocument<S extends z.ZodType>(text: string, kind: DocumentKind<S>): Checked<z.output<S>> {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = positionsIn(doc, lines, text);
  const failed = (problems: DocumentProblem[]): Checked<never> => ({ value: null, problems });
  if (doc.errors.length > 0) return failed(syntaxProblems(doc, text, at));
  if (doc.contents === null) return failed([{ ...atStart, message: `${kind.name} is empty`, ...kind.empty }]);
  let document: unknown;
  try {
    document = doc.toJS();
  } catch (error) {
    const message = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
    return failed([{ ...atStart, message, hint: 'write the value out instead of `*name`' }]);
  }
  const result = kind.schema.safeParse(document);
  if (result.success) return { value: result.data, problems: [] };
  const expected = expectationsOf(jsonSchemaOf(kind.schema), kind.exampleAt);
  return failed(problemsOf(result.error.issues, { name: kind.name, document, at, expected }));
}

const atStart = {
  line: 1,
  column: 1,
  length: 1,
  path: '',
  found: null,
  expected: null,
  about: null,
  example: null,
};

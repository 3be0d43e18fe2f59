import type { z } from 'zod';
import { closest } from './closest.ts';
import type { Expectations } from './expectations.ts';
import type { Position, Positions } from './position.ts';

/** One thing that is wrong with a document, ready to print. */
export interface DocumentProblem extends Position {
  /** Dotted path such as `rollout.start[1]`, empty for the whole document. */
  path: string;
  message: string;
  found: string | null;
  expected: string | null;
  /** What to try, in a sentence. */
  hint: string | null;
  /** What the key is for. */
  about: string | null;
  example: string | null;
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The document being looked at. */
interface Looked {
  /** In a sentence: `the runbook`. */
  name: string;
  document: unknown;
  at: Positions;
  expected: Expectations;
}

/** Beside it, what misspelt keys were meant to be, so that those are not missing as well. */
interface Checked extends Looked {
  meant: Set<string>;
}

/** All problems of a document that parsed as YAML, in the order of its lines. */
export function problemsOf(issues: readonly Issue[], looked: Looked): DocumentProblem[] {
  const meant = new Set<string>();
  const checked: Checked = { ...looked, meant };
  const flat = issues.flatMap((issue) => flatten(issue, [], looked.document));
  const unknown = flat.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownKey(key, issue.path, checked)) : [],
  );
  const others = flat
    .filter((issue) => issue.code !== 'unrecognized_keys')
    // Where a key is only misspelt, saying that it is missing too would be the same problem twice.
    .filter((issue) => !meant.has(dotted(issue.path)) && !(issue.code === 'custom' && meant.has(dotted(issue.path))))
    .map((issue) => describeIssue(issue, checked));
  return [...unknown, ...others].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Of a union, the alternative that got furthest is the one that was meant; then the one with only a wrong key. */
function flatten(issue: Issue, prefix: Path, document: unknown): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const deeper = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
    const misspelt = issue.errors.find((errors) => errors.every(({ path, code }) => path.length > 0 || isKeys(code)));
    // What is missing there belongs to one of several alternatives, and nobody knows which was meant.
    const present = misspelt?.filter(
      (error) => isKeys(error.code) || valueAt(document, [...path, ...error.path]) !== undefined,
    );
    const meant = deeper ?? present;
    if (meant) return meant.flatMap((error) => flatten(error, path, document));
  }
  return [{ ...issue, path } as Issue];
}

function isKeys(code: Issue['code']): boolean {
  return code === 'unrecognized_keys';
}

function unknownKey(key: string, path: Path, { document, at, expected, meant }: Checked): DocumentProblem {
  const allowed = expected.keysAt(path);
  const present = valueAt(document, path);
  const free = allowed.filter((name) => !(isRecord(present) && name in present));
  const guess = closest(key, free);
  const twin = guess ? null : closest(key, allowed);
  const homes = expected.homesOf(key).filter((heading) => heading !== path[0]);
  if (guess) {
    meant.add(dotted([...path, guess]));
    meant.add(dotted(path));
  }
  return {
    ...at.key(path, key),
    path: dotted([...path, key]),
    message: `unknown key \`${key}\`${path.length > 0 ? ` in \`${dotted(path)}\`` : ''}`,
    found: null,
    expected: allowed.length > 0 ? `one of ${allowed.join(', ')}` : null,
    hint: guess
      ? `did you mean \`${guess}\`?`
      : twin
        ? `\`${twin}\` is written already; remove this one`
        : homes.length > 0
          ? `\`${key}\` belongs under \`${homes.join('` or `')}\``
          : null,
    about: null,
    example: guess ? expected.exampleAt([...path, guess]) : null,
  };
}

function describeIssue(issue: Issue, looked: Checked): DocumentProblem {
  const { document, at, expected: expectations } = looked;
  // Of a wrong name the name itself is looked at, not what stands below it.
  const value = issue.code === 'invalid_key' ? String(issue.path.at(-1)) : valueAt(document, issue.path);
  const name = issue.path.length > 0 ? `\`${dotted(issue.path)}\`` : looked.name;
  const missing = value === undefined;
  const expected = expectation(issue);
  const about = expectations.descriptionAt(issue.path);
  return {
    ...at.value(issue.path),
    path: dotted(issue.path),
    message: missing ? `${name} is missing` : value === null ? `${name} is empty` : `${name} is not right`,
    found: missing || value === null ? null : show(value),
    expected: expected ?? about,
    hint: hint(issue, value),
    about: expected ? about : null,
    example: exampleOf(issue, expectations),
  };
}

function expectation(issue: Issue): string | null {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(choices(issue));
    case 'too_small':
      return issue.origin === 'number' ? `${issue.minimum} or more` : 'something: it is empty';
    case 'too_big':
      return issue.origin === 'number' ? `${issue.maximum} or less` : `at most ${issue.maximum} characters`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? null;
    case 'invalid_union':
      return issue.message.startsWith('Invalid') ? oneOf(choices(issue)) : issue.message;
    default:
      return issue.message.startsWith('Invalid') ? null : issue.message;
  }
}

function oneOf(words: string[]): string | null {
  return words.length > 1 ? `one of ${words.join(', ')}` : (words[0] ?? null);
}

const kinds: Record<string, string> = {
  string: 'text',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
  array: 'a list, such as [a, b]',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
};

function hint(issue: Issue, value: unknown): string | null {
  if (issue.code === 'invalid_type' && issue.expected === 'string') {
    if (typeof value === 'number' || typeof value === 'boolean') return `put it in quotes: "${value}"`;
    const word = placeholder(value);
    if (word) return `braces start a mapping in YAML; put the placeholder in quotes: "{${word}}"`;
  }
  if (issue.code === 'invalid_type' && issue.expected === 'array' && typeof value === 'string') {
    return `no shell here; one word an item: [${value.split(/\s+/).filter(Boolean).join(', ')}]`;
  }
  if (issue.code === 'invalid_type' && issue.expected === 'number' && typeof value === 'string') {
    if (value.trim() !== '' && Number.isFinite(Number(value))) return `a number stands without quotes: ${value.trim()}`;
  }
  const guess = typeof value === 'string' ? closest(value, choices(issue)) : null;
  if (guess) return `did you mean \`${guess}\`?`;
  if (value === null) return 'fill it in, or remove the line';
  return null;
}

/** The words that would be right, of a union those of every alternative. */
function choices(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code !== 'invalid_union') return [];
  return issue.errors.flat().flatMap((error) => (error.path.length === 0 ? choices(error) : []));
}

/** `{port}` without quotes reads as the mapping `{ port: null }`. */
function placeholder(value: unknown): string | null {
  if (!isRecord(value)) return null;
  const [entry, ...more] = Object.entries(value);
  return entry && more.length === 0 && entry[1] === null ? entry[0] : null;
}

function exampleOf(issue: Issue, { exampleAt }: Expectations): string | null {
  const params = 'params' in issue ? (issue.params as { example?: unknown } | undefined) : undefined;
  const key = issue.path.at(-1);
  if (typeof params?.example === 'string') {
    const shown = params.example;
    return typeof key === 'string' && !shown.startsWith('{') ? `${key}: ${shown}` : shown;
  }
  return exampleAt(issue.path);
}

/** A value as it would stand in the file, one line, at most 60 characters. */
function show(value: unknown): string {
  const kind = Array.isArray(value) ? 'a list' : isRecord(value) ? 'a mapping' : typeof value;
  const text = JSON.stringify(value) ?? String(value);
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return kind === 'string' ? short : `${kind}: ${short}`;
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const part of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function dotted(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

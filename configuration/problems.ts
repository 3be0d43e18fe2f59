import type { runbookSchema } from '../../workflows/runbook/schema.ts';
import { closest } from './closest.ts';
import type { Expectations } from './expectations.ts';
import type { Position, Positions } from './position.ts';

/** One thing that is wrong with a runbook, ready to print. */
export interface RunbookProblem extends Position {
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

type Issue = NonNullable<ReturnType<typeof runbookSchema.safeParse>['error']>['issues'][number];
type Path = readonly PropertyKey[];

/** The document being looked at, and what misspelt keys were meant to be, so that those are not missing as well. */
interface Checked {
  document: unknown;
  at: Positions;
  expected: Expectations;
  meant: Set<string>;
}

/** All problems of a document that parsed as YAML, in the order of its lines. */
export function problemsOf(
  issues: readonly Issue[],
  document: unknown,
  at: Positions,
  expected: Expectations,
): RunbookProblem[] {
  const checked: Checked = { document, at, expected, meant: new Set() };
  const { meant } = checked;
  const flat = issues.flatMap((issue) => flatten(issue, []));
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

/** Of a union, the alternative that got furthest is the one that was meant. */
function flatten(issue: Issue, prefix: Path): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const deeper = issue.errors.filter((errors) => errors.every((error) => error.path.length > 0));
    if (deeper[0]) return deeper[0].flatMap((error) => flatten(error, path));
  }
  return [{ ...issue, path } as Issue];
}

function unknownKey(key: string, path: Path, { document, at, expected, meant }: Checked): RunbookProblem {
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

function describeIssue(issue: Issue, { document, at, expected: expectations }: Checked): RunbookProblem {
  const value = valueAt(document, issue.path);
  const name = issue.path.length > 0 ? `\`${dotted(issue.path)}\`` : 'the runbook';
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
      return `${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'number' ? `${issue.minimum} or more` : 'something: it is empty';
    case 'too_big':
      return issue.origin === 'number' ? `${issue.maximum} or less` : `at most ${issue.maximum} characters`;
    case 'invalid_union':
      return issue.message.startsWith('Invalid') ? null : issue.message;
    default:
      return issue.message.startsWith('Invalid') ? null : issue.message;
  }
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
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const guess = closest(value, issue.values.map(String));
    if (guess) return `did you mean \`${guess}\`?`;
  }
  if (value === null) return 'fill it in, or remove the line';
  return null;
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

import type { Paint } from './text.ts';

/** One line of `holdpoint doctor`. */
export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  found: string;
  /** What to do about it. */
  next?: string;
  /** Text for a file, shown below all lines and as it is, so that it can be copied. */
  paste?: string;
}

const marks = { ok: ['✓', 'green'], warn: ['!', 'yellow'], fail: ['✗', 'red'] } as const;

/** A line a check, with the next step below where one is needed; last what is to be pasted. */
export function renderChecks(checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const pasted = checks.flatMap(({ paste }) => (paste ? [`\n${paste.trimEnd()}`] : []));
  return [...checks.flatMap((check) => lines(check, width, paint)), ...pasted].join('\n');
}

function lines({ name, state, found, next }: Check, width: number, paint: Paint): string[] {
  const [symbol, colour] = marks[state];
  const indent = ' '.repeat(width + 10);
  const [first = '', ...rest] = found.split('\n');
  return [
    `${paint(colour, `${symbol} ${state.padEnd(4)}`)}  ${name.padEnd(width)}  ${first}`,
    ...rest.map((line) => (line ? `${indent}${line}` : '')),
    ...(next && state !== 'ok' ? [`${indent}→ ${next}`] : []),
  ];
}

import type { DocumentProblem } from './problems.ts';

/** A document's problems for people: `file:line:col`, the line itself, found, expected, an example. */
export function renderProblems(file: string, text: string, problems: readonly DocumentProblem[]): string {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = text.split('\n');
  const blocks = problems.map((problem) => renderProblem(file, lines, problem));
  return [`${file} has ${count}; nothing was started.`, ...blocks].join('\n\n');
}

function renderProblem(file: string, lines: string[], problem: DocumentProblem): string {
  const source = (lines[problem.line - 1] ?? '').replaceAll('\t', ' ').replace('\r', '');
  const gutter = String(problem.line).padStart(5);
  const facts: [string, string | null][] = [
    ['found', problem.found],
    ['expected', problem.expected],
    ['hint', problem.hint],
    ['about', problem.about],
    ['example', problem.example],
  ];
  return [
    `${file}:${problem.line}:${problem.column}  ${problem.message}`,
    ...(source.trim() === ''
      ? []
      : [`${gutter} | ${source}`, `      | ${' '.repeat(problem.column - 1)}${'^'.repeat(problem.length)}`]),
    ...facts.flatMap(([label, value]) => (value === null ? [] : [`      ${`${label}:`.padEnd(10)}${value}`])),
  ].join('\n');
}

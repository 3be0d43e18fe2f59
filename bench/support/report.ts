import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inWords } from './machine.ts';
import { plotOf } from './plot.ts';
import { figureOf, type Goal, type Ratio, type Result, type Row } from './result.ts';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** RESULTS.md and the plots, from the results alone. May run twice. */
export function writeReport(results: Result[]): void {
  for (const result of results) writeFileSync(path(`plots/${result.name}.svg`), plotOf(result));
  const intro = [
    '# Measured',
    '',
    'Written by `npm run bench` from `bench/results/*.json`; not edited by hand. Times are wall time on the machine',
    'named below each table, servers and workers included; a p95 of 20 samples is the second slowest of them.',
  ];
  writeFileSync(path('RESULTS.md'), `${[...intro, ...results.map(section)].join('\n')}\n`);
}

function section(result: Result): string {
  const { name, title, about, rows, goals, ratios, machine, load, at, build } = result;
  return [
    '',
    `## ${title}`,
    '',
    about,
    '',
    ...table(rows),
    '',
    ...goals.map((goal) => `- ${goalInWords(rows, goal)}`),
    ...ratios.map((ratio) => `- ${ratioInWords(rows, ratio)}`),
    '',
    `![${title}](plots/${name}.svg)`,
    '',
    `\`npm run bench -- ${name}\`, ${at.slice(0, 10)}, build ${build}: ${inWords(machine)}; load average ${load.before} before, ${load.after} after.`,
  ].join('\n');
}

function table(rows: Row[]): string[] {
  // Words beside the name say parts of it again, for programs that read the rows.
  const isFigure = (key: string) => rows.some((row) => typeof row[key] === 'number');
  const figures = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(isFigure);
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...figures]),
    line(['---', ...figures.map(() => '---:')]),
    ...rows.map((row) => line([row.name, ...figures.map((figure) => row[figure] ?? '')])),
  ];
}

/** `Goal met: Holdpoint p50Ms 14.2, at most 15`. */
export function goalInWords(rows: Row[], { row, figure, atMost, atLeast }: Goal): string {
  const value = figureOf(rows, row, figure);
  const met = (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `Goal ${met ? 'met' : '**missed**'}: ${row}: ${figure} ${value}, wanted ${bound}.`;
}

/** `Holdpoint: 1.1 times a bare workflow (p50Ms)`. */
export function ratioInWords(rows: Row[], { of, to, figure }: Ratio): string {
  const times = figureOf(rows, of, figure) / figureOf(rows, to, figure);
  return `${figure}: ${of} is **${times.toPrecision(2)} times** ${to}.`;
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';

/** One thing that was measured: named figures, with the unit at the end of each key (`p50Ms`, `answersPerSecond`). */
export interface Row {
  name: string;
  [figure: string]: number | string;
}

export interface Goal {
  row: string;
  figure: string;
  atMost?: number;
  atLeast?: number;
}

/** How many times the one is the other, by a figure that both rows have. */
export interface Ratio {
  of: string;
  to: string;
  figure: string;
}

/** What one bench found. Everything that RESULTS.md and the plot say comes from here. */
export interface Findings {
  title: string;
  /** What was measured, and how, in sentences. */
  about: string;
  rows: Row[];
  goals: Goal[];
  ratios: Ratio[];
  /** The figure that is drawn, and the one that its thin line reaches to. */
  plot: { figure: string; tail?: string };
}

export interface Result extends Findings {
  name: string;
  /** ISO 8601. */
  at: string;
  /** Which compiled product; figures of different builds are not repetitions of each other. */
  build: string;
  machine: Machine;
  /** Load average of the last minute, before and after: far above the cores' count, something else disturbed it. */
  load: { before: number; after: number };
}

const folder = fileURLToPath(new URL('../results', import.meta.url));

export function writeResult(result: Result): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Every result there is, of this run or an earlier one, by name. */
export function readResults(): Result[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result);
}

export function figureOf(rows: readonly Row[], name: string, figure: string): number {
  const value = rows.find((row) => row.name === name)?.[figure];
  if (typeof value !== 'number') throw new TypeError(`no figure ${figure} in a row "${name}"`);
  return value;
}

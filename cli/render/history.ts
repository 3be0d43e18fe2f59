import { oneLine, type Paint } from './text.ts';
import { dateAndClock, took } from './time.ts';

/** One line of the history. Times are ms since the epoch. */
export interface PastRun {
  environment: string;
  release: string | null;
  intent: string;
  outcome: string;
  by: string | null;
  reason: string | null;
  startedAt: number;
  endedAt: number | null;
  runId: string;
}

/** Runs as a table, newest first as given. */
export function renderHistory(runs: readonly PastRun[], now: number, paint: Paint): string {
  const rows = runs.map((run) => [
    dateAndClock(run.startedAt),
    took((run.endedAt ?? now) - run.startedAt),
    run.environment,
    releaseOf(run),
    run.outcome,
    oneLine(run.by ?? '–'),
    run.runId,
  ]);
  return table(['started', 'took', 'environment', 'release', 'outcome', 'by', 'run'], rows, paint);
}

function releaseOf({ intent, release }: PastRun): string {
  if (intent === 'rollback') return `back to ${release ?? '?'}`;
  return intent === 'reconcile' ? `reconcile ${release ?? ''}`.trim() : (release ?? '?');
}

/** Columns as wide as their widest cell, two spaces between. */
export function table(head: string[], rows: string[][], paint: Paint): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [paint('gray', line(head)), ...rows.map(line)].join('\n');
}

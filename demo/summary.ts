import { measured, type Seen } from './measure.ts';

/** What was measured, a line each, for people. */
export function summary(seen: Seen, total: number): string[] {
  const { deploys, requests, migrationRuns, seconds } = measured(seen, total);
  const time = (value: number | null) => (value === null ? 'not observed' : `${value.toFixed(1)} s`);
  const rows: [string, string][] = [
    ...deploys.map(({ release, outcome }): [string, string] => [`release ${release}`, outcome ?? 'unknown']),
    ['requests sent', String(requests.sent)],
    ['requests lost', String(requests.lost)],
    [
      'migration begun',
      migrationRuns === null ? 'not observed' : `${migrationRuns} time${migrationRuns === 1 ? '' : 's'}`,
    ],
    ['worker killed → step runs again', time(seconds.killToStepRunning)],
    ['release 3 failed → last bad answer', lastBad(seen)],
    ['whole demo', time(seconds.total)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}

function lastBad({ badRelease }: Seen): string {
  if (!badRelease) return 'not observed';
  const { rollbackToLastBadAnswer: seconds } = badRelease;
  return seconds === 0 ? '0.0 s (nobody got one)' : `${seconds.toFixed(1)} s`;
}

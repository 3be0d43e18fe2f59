import type { Outcome, RunStatus } from '../workflows/runbook/status.ts';
import { type Answer, isLost, perSecond } from './traffic.ts';

/** What was seen while the demo played; null: not seen. */
export interface Seen {
  deploys: { release: string; outcome: Outcome | null }[];
  answers: Answer[];
  /** How often the migration of release 2 was begun in the database. */
  migrationRuns: number | null;
  /** From SIGKILL until the step ran again on another worker, s. */
  killToStepRunning: number | null;
  /** The second attempt waited for the migration that was still running. */
  attached: boolean;
  /** Release 1 answered on its own port while release 2 had all traffic. */
  oldAliveAfterSwitch: boolean;
  badRelease: BadRelease | null;
}

export interface BadRelease {
  /** Its health check was fine. */
  healthy: boolean;
  failedStep: string | null;
  gotTraffic: boolean;
  /** The process of release 2 before and after is the same, and answered all that was asked meanwhile. */
  oldStayed: boolean;
  /** From the failure until the last bad answer that anybody got, s; 0: nobody got one. */
  rollbackToLastBadAnswer: number;
}

export const nothingSeen = (): Seen => ({
  deploys: [],
  answers: [],
  migrationRuns: null,
  killToStepRunning: null,
  attached: false,
  oldAliveAfterSwitch: false,
  badRelease: null,
});

/** The deploy of release 3, from its final status and what the load saw since it began. */
export function judgeBadRelease(status: RunStatus, answers: Answer[], samePid: boolean): BadRelease {
  const step = (id: string) => status.steps.find((one) => one.id === id);
  const failed = status.steps.find(({ state }) => state === 'failed');
  const bad = answers.filter((answer) => isLost(answer) || answer.version === '3');
  const lastBad = Math.max(0, ...bad.map(({ at, ms }) => at + ms));
  const since = failed?.endedAt ?? status.startedAt;
  return {
    healthy: step('rollout.probe')?.evidence?.status === 200,
    failedStep: failed?.id ?? null,
    gotTraffic: step('rollout.shift')?.state !== 'pending' || answers.some(({ version }) => version === '3'),
    oldStayed: samePid && answers.length > 0 && answers.every(({ version }) => version === '2'),
    rollbackToLastBadAnswer: Math.max(0, (lastBad - since) / 1_000),
  };
}

/** What the demo promises and was not seen; empty: all of it was. */
export function notObserved(seen: Seen): string[] {
  const { answers, badRelease } = seen;
  const lost = answers.filter(isLost).length;
  const outcomes = seen.deploys.map(({ release, outcome }) => `${release} ${outcome}`).join(', ');
  const promises: [string, boolean][] = [
    [`releases 1 and 2 succeed, 3 is rolled back (seen: ${outcomes || 'none'})`, outcomes === expected],
    [`at least 50 requests a second (seen: ${rateOf(answers).toFixed(1)})`, rateOf(answers) >= 50],
    ['orders are placed among the requests', answers.some(({ method, status }) => method === 'POST' && status === 201)],
    [`no request is lost (seen: ${lost} of ${answers.length})`, answers.length > 0 && lost === 0],
    [`the migration runs once (seen: ${seen.migrationRuns ?? 'nothing'})`, seen.migrationRuns === 1],
    ['the step goes on after the worker was killed', seen.killToStepRunning !== null],
    ['the second worker finds the migration running, and waits for it', seen.attached],
    ['release 1 stays alive until release 2 is confirmed', seen.oldAliveAfterSwitch],
    ["release 3's health check is fine", badRelease?.healthy === true],
    [`the smoke test finds the bug (seen: ${badRelease?.failedStep ?? 'nothing'})`, found(badRelease)],
    ['release 3 never gets traffic', badRelease?.gotTraffic === false],
    ['release 2 stays alive and serves while release 3 is tried and taken back', badRelease?.oldStayed === true],
  ];
  return promises.filter(([, observed]) => !observed).map(([promise]) => promise);
}

const expected = '1 succeeded, 2 succeeded, 3 rolled back';
const found = (bad: BadRelease | null) => bad?.failedStep === 'rollout.smoke';

/** Requests a second, from the first that was sent to the last. */
function rateOf(answers: Answer[]): number {
  if (answers.length < perSecond) return 0;
  const sent = answers.map(({ at }) => at);
  return ((answers.length - 1) * 1_000) / (Math.max(...sent) - Math.min(...sent));
}

/** For `--json`. Seconds; null: not observed. */
export function measured(seen: Seen, total: number) {
  const seconds = (value: number | null | undefined) => (value == null ? null : Math.round(value * 1_000) / 1_000);
  return {
    deploys: seen.deploys,
    requests: { sent: seen.answers.length, lost: seen.answers.filter(isLost).length },
    migrationRuns: seen.migrationRuns,
    seconds: {
      killToStepRunning: seconds(seen.killToStepRunning),
      rollbackToLastBadAnswer: seconds(seen.badRelease?.rollbackToLastBadAnswer),
      total: seconds(total),
    },
  };
}

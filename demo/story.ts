import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { RunStatus } from '../workflows/runbook/status.ts';
import type { AskPerson } from './ask-person.ts';
import type { CleanUp } from './clean-up.ts';
import { migrationRuns } from './database.ts';
import type { Command, Holdpoint } from './holdpoint.ts';
import { judgeBadRelease, type Seen } from './measure.ts';
import type { Places } from './places.ts';
import { type RunOf, type Runs, until } from './runs.ts';
import { chapter, done, tell } from './say.ts';
import { isLost, perSecond, startTraffic, type Traffic } from './traffic.ts';

export interface Stage {
  cleanUp: CleanUp;
  places: Places;
  holdpoint: Holdpoint;
  runs: Runs;
  database: pg.Client;
  ask: AskPerson;
  worker: ChildProcess;
  seen: Seen;
}

interface Deploying {
  run: RunOf;
  command: Command;
}

/** The main job, played for real. What was observed is in `stage.seen`, also where this throws half way. */
export async function play(stage: Stage): Promise<void> {
  const traffic = await firstRelease(stage);
  const second = await secondRelease(stage);
  await badRelease(stage, traffic);
  await traffic.stop();
  chapter('What stays');
  await Promise.all([stage.holdpoint.run('history'), writeReport(stage, second)]);
}

async function firstRelease(stage: Stage): Promise<Traffic> {
  const { seen, places, cleanUp } = stage;
  chapter('Release 1 goes live');
  tell(
    'The runbook is examples/shop/holdpoint.yaml. Each of its lines becomes a step of a durable workflow:',
    'prepare, backup, migrate, rollout, verify. Where it says `hold`, it waits for a person.',
  );
  const deploying = await deploy(stage, null, '--version', '1');
  await decide(stage, deploying, 'migrate.hold', 'Apply these migrations?', 'ann');
  await stage.runs.untilDone(deploying.run, 'rollout.shift');
  const traffic = await startTraffic(cleanUp, places.front);
  seen.answers = traffic.answers;
  tell('', `Release 1 answers. From now on ${perSecond} requests a second reach the shop, 2 of 5 place an order.`);
  tell('Each one that gets no answer, or a 5xx, counts as lost.');
  await decide(stage, deploying, 'verify.hold', 'Confirm release 1?', 'ann');
  await end(stage, deploying, '1');
  return traffic;
}

async function secondRelease(stage: Stage): Promise<RunOf> {
  const { holdpoint, runs, seen, places } = stage;
  chapter('Release 2 brings a slow migration');
  tell(
    'First the plan. Nothing is changed by looking, and what is approved later is exactly this plan, by its digest.',
  );
  const plan = await holdpoint.run('plan', '--version', '2');
  const digest = /^plan (sha256:[0-9a-f]{64})$/m.exec(plan.join('\n'))?.[1];
  if (!digest) throw new Error('the plan printed no digest');
  const before = (await runs.newest(null)).runId;
  const deploying = await deploy(stage, before, '--version', '2', '--plan', digest);
  await decide(stage, deploying, 'migrate.hold', 'Apply the migrations of release 2?', 'ann');
  await killWorker(stage, deploying.run);
  const status = await runs.untilHold(deploying.run, 'verify.hold');
  const migrated = status.steps.find(({ id }) => id === 'migrate.up');
  seen.attached = migrated?.evidence?.attached === true;
  seen.migrationRuns = await migrationRuns(stage.database);
  done(`The migration was begun ${seen.migrationRuns} time. The new worker found it running, and waited for its end.`);
  const served = await versionAt(places.front);
  seen.oldAliveAfterSwitch = served === '2' && (await versionAt(`http://127.0.0.1:${places.slots.blue}`)) === '1';
  done('Release 2 has all traffic. Release 1 is still alive: until somebody confirms, going back is a switch.');
  await decide(stage, deploying, 'verify.hold', 'Confirm release 2, and stop release 1?', 'ann');
  await end(stage, deploying, '2');
  return deploying.run;
}

/** SIGKILL in the middle of the migration; another worker goes on. */
async function killWorker(stage: Stage, run: RunOf): Promise<void> {
  const { runs, holdpoint, seen, database } = stage;
  await until('the migration', 30_000, async () => ((await migrationRuns(database)) > 0 ? true : null));
  const { pid } = stage.worker;
  const gone = once(stage.worker, 'exit');
  process.kill(pid!, 'SIGKILL');
  const killedAt = performance.now();
  tell('', `The migration runs in the database. Now the worker is killed: kill -9 ${pid}`);
  await gone;
  stage.worker = await holdpoint.worker();
  tell(
    `Another worker is started: process ${stage.worker.pid}. Temporal notices within 5 s that the first one is silent,`,
    'and gives the step to the second one. The migration itself went on: it does not belong to the worker.',
  );
  await until(
    'the step to run again',
    60_000,
    async () => ((await runs.attemptOf(run, 'migrateUp')) ?? 1) >= 2 || null,
  );
  seen.killToStepRunning = (performance.now() - killedAt) / 1_000;
  done(`The step runs again ${seen.killToStepRunning.toFixed(1)} s after the kill.`);
}

async function badRelease(stage: Stage, traffic: Traffic): Promise<void> {
  const { runs, seen, places } = stage;
  chapter('Release 3 is bad, and its health check does not know');
  tell('GET /healthz is fine. But an order for a gift without a card answers 500. Nobody is asked from here on.');
  const pid = await pidAt(places.front);
  const since = traffic.answers.length;
  const deploying = await deploy(stage, (await runs.newest(null)).runId, '--version', '3');
  const status = await end(stage, deploying, '3');
  const samePid = (await pidAt(places.front)) === pid;
  seen.badRelease = judgeBadRelease(status, traffic.answers.slice(since), samePid);
  const bad = traffic.answers.slice(since).filter((answer) => isLost(answer) || answer.version === '3').length;
  done(`Found before it had any traffic, and taken back by itself. Bad answers that anybody got: ${bad}.`);
}

async function deploy(stage: Stage, before: string | null, ...words: string[]): Promise<Deploying> {
  const command = await stage.holdpoint.begin('deploy', ...words, '--by', 'bob');
  const run = await Promise.race([stage.runs.newest(before), tooEarly(command)]);
  return { run, command };
}

/** Waits for the question, asks the person, and sends the answer. Throws where it was no. */
async function decide(
  stage: Stage,
  { run, command }: Deploying,
  step: string,
  question: string,
  by: string,
): Promise<void> {
  const { digest } = await stage.runs.untilHold(run, step);
  // The person should see the question where the deploy shows it, first.
  await until(
    'it to be shown',
    5_000,
    async () => command.lines.find((line) => line.includes(`--step ${step}`)) ?? null,
  );
  const yes = await stage.ask(question);
  const verb = yes ? 'approve' : 'reject';
  const reason = yes ? 'looked at it' : 'said no in the demo';
  const words = ['--step', step, '--plan', digest!.slice(0, 'sha256:'.length + 8), '--by', by, '--reason', reason];
  await stage.holdpoint.run(verb, ...words);
  if (!yes) throw new Error(`you said no to "${question}", so the deploy was taken back and the story ends here`);
}

/** Waits for the deploy's end, and remembers how it ended. */
async function end({ seen }: Stage, { run, command }: Deploying, release: string): Promise<RunStatus> {
  await command.ended;
  const status = (await run.handle.result()) as RunStatus;
  seen.deploys.push({ release, outcome: status.outcome });
  return status;
}

/** Never returns; throws where the deploy ends while something is still expected of it. */
async function tooEarly({ ended }: Command): Promise<never> {
  throw new Error(`holdpoint deploy ended early, with ${await ended}`);
}

async function versionAt(address: string): Promise<string | null> {
  const answer = await fetch(`${address}/healthz`);
  return answer.ok ? ((await answer.json()) as { version: string }).version : null;
}

async function pidAt(address: string): Promise<number> {
  const answer = await fetch(`${address}/healthz`);
  return ((await answer.json()) as { pid: number }).pid;
}

async function writeReport({ holdpoint }: Stage, { runId }: RunOf): Promise<void> {
  const folder = join(process.cwd(), '.holdpoint', 'demo');
  mkdirSync(folder, { recursive: true });
  await holdpoint.run('report', '--run', runId, '--format', 'html', '--out', join(folder, 'report.html'));
}

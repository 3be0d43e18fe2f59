import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './support/bounded.ts';
import { asks, type Deploy, endAtLastHold, requestOf, startDeploy } from './support/deploys.ts';
import type { Lab, Server } from './support/lab.ts';
import type { Findings, Row } from './support/result.ts';
import { percentile, rounded, spread } from './support/samples.ts';
import type { BenchWorker, WorkerKind } from './support/worker.ts';

const services = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox'];
/** As workflows/activity-proxies.ts sets it. */
const heartbeatTimeoutMs = 5_000;
const patienceMs = 60_000;

/** How long a step stands still when its worker is killed, and a new one is started at once. */
export async function recovery(lab: Lab): Promise<Findings> {
  const server = await lab.devServer();
  const rows = [
    await killedInStep(lab, server),
    { name: heartbeatTimeout, p50Ms: heartbeatTimeoutMs },
    await killedAtHold(lab, server, { kind: 'product', name: atHold, rounds: 3, pauseMs: 500 }),
    await killedAtHold(lab, server, { kind: 'defaults', name: atHoldByDefault, rounds: 2, pauseMs: 500 }),
    await killedAtHold(lab, server, { kind: 'product', name: answered, rounds: 2, pauseMs: 0 }),
  ];
  return {
    title: 'From SIGKILL of the worker to the step running again',
    about:
      `${services.length} deploys at a time on one worker process, which is killed with SIGKILL and started again at ` +
      'once, as a supervisor would. In a step: until that step runs again in the new worker, which finds the command ' +
      'that went on meanwhile. At a hold: everybody answers half a second after the kill; until the step ' +
      'behind the hold runs. An answer in the very moment of the kill may be handed to the dying worker, and then has ' +
      'to wait for the workflow task timeout of 5 s. `lost` are deploys that did not go on within a minute.',
    rows,
    goals: [{ row: inStep, figure: 'p95Ms', atMost: heartbeatTimeoutMs + 1_000 }],
    ratios: [
      { of: inStep, to: heartbeatTimeout, figure: 'p50Ms' },
      { of: atHold, to: atHoldByDefault, figure: 'p50Ms' },
    ],
    plot: { figure: 'p50Ms', tail: 'p95Ms' },
  };
}

const inStep = 'killed in a step';
const heartbeatTimeout = 'the heartbeat timeout itself';
const atHold = 'killed at a hold';
const answered = 'killed at a hold in the very moment of the answer';
const atHoldByDefault = "killed at a hold, under Temporal's default worker settings";

async function killedInStep(lab: Lab, server: Server): Promise<Row> {
  const { worker, taskQueue } = lab.worker(server, { kind: 'product' });
  const times: number[] = [];
  const rounds = 4;
  for (let round = 0; round < rounds; round += 1) {
    // The command goes on as long as the file is there.
    const file = lab.write(`round-${round}`, '');
    const wait = ['sh', '-c', 'while [ -e "$1" ]; do sleep 1; done', 'sh', file];
    const deploys = await startAll(lab, server, taskQueue, [{ run: wait }]);
    const begun = deploys.length * (1 + 2 * round);
    await until(patienceMs, 'the steps do not begin', () => begins(worker).length === begun);
    // Heartbeats come once a second, so kills at different moments between two find the best and the worst.
    await sleep(2_000 + round * 500);
    times.push(...(await timesFrom(worker.killAndReplace(), worker, deploys)));
    rmSync(file);
    await Promise.all(deploys.map(endAtLastHold));
  }
  await worker.stop();
  return rowOf(inStep, times, rounds);
}

async function killedAtHold(
  lab: Lab,
  server: Server,
  { kind, name, rounds, pauseMs }: { kind: WorkerKind['kind']; name: string; rounds: number; pauseMs: number },
): Promise<Row> {
  const { worker, taskQueue } = lab.worker(server, { kind });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const lines = [{ hold: { ask: 'Go on?' }, name: 'first' }, { run: ['true'] }];
    const deploys = await startAll(lab, server, taskQueue, lines);
    const step = 'prepare.first';
    const plans = await Promise.all(deploys.map(async (deploy) => (await asks(deploy, step)).digest));
    const killedAt = worker.killAndReplace();
    await sleep(pauseMs);
    await Promise.all(deploys.map((deploy, i) => deploy.signal('approve', { plan: plans[i], step, by: 'bench' })));
    times.push(...(await timesFrom(killedAt, worker, deploys)));
    await Promise.all(deploys.map(endAtLastHold));
  }
  await worker.stop();
  return rowOf(name, times, rounds);
}

/** All at once, a little apart, so that their heartbeats are too. */
async function startAll(lab: Lab, server: Server, taskQueue: string, lines: object[]): Promise<Deploy[]> {
  const deploys: Deploy[] = [];
  for (const service of services) {
    deploys.push(await startDeploy(server.client, taskQueue, requestOf(lab, service, lines)));
    await sleep(150);
  }
  return deploys;
}

const begins = (worker: BenchWorker) =>
  worker.sights.filter(({ moment, activity }) => moment === 'begin' && activity === 'runCommand');

/** For each deploy, ms from the kill until its command's step began after it; those that did not are left out. */
async function timesFrom(killedAt: number, worker: BenchWorker, deploys: Deploy[]): Promise<number[]> {
  const again = () => begins(worker).filter(({ at }) => at > killedAt);
  const allRun = () => deploys.every(({ workflowId }) => again().some(({ run }) => run === workflowId));
  await until(patienceMs, 'not every step runs again', allRun).catch((error: Error) => console.error(error.message));
  return deploys.flatMap(({ workflowId }) => {
    const first = again().find(({ run }) => run === workflowId);
    return first ? [first.at - killedAt] : [];
  });
}

function rowOf(name: string, times: number[], rounds: number): Row {
  const lost = rounds * services.length - times.length;
  return { name, ...spread(times), maxMs: rounded(percentile(times, 1)), lost };
}

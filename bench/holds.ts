import { setTimeout as sleep } from 'node:timers/promises';
import { inWaves, until } from './support/bounded.ts';
import { planFile, planOf, requestOf, startDeploy } from './support/deploys.ts';
import type { Lab, Server } from './support/lab.ts';
import type { Findings, Row } from './support/result.ts';
import { rounded } from './support/samples.ts';
import type { BenchWorker } from './support/worker.ts';

const count = 1_000;
/** Requests of one client that are under way at the same time. */
const width = 50;
const patienceMs = 180_000;

/** Every deploy of a big company waits for a person, and all people come back from lunch: who is served how fast? */
export async function holds(lab: Lab): Promise<Findings> {
  const server = await lab.devServer();
  const rows = [await holdpoint(lab, server), await bare(lab, server)];
  return {
    title: `${count.toLocaleString('en')} deploys waiting at a hold, all answered by one worker`,
    about:
      `${count.toLocaleString('en')} runs on one worker, each waiting for a person. All are answered, ${width} requests ` +
      'at a time; the clock runs from the first answer sent until the step behind the last hold has run, after which ' +
      'each waits at its next hold. Activities do nothing, so this is the cost of workflows. The bare workflow is a ' +
      "dozen lines straight on Temporal, which check no plan, record nobody's name and show no status. " +
      '`lost` are answers without effect, `twice` are steps that ran more than once.',
    rows,
    goals: [{ row: ours, figure: 'answersPerSecond', atLeast: 100 }],
    ratios: [{ of: ours, to: theirs, figure: 'answersPerSecond' }],
    plot: { figure: 'answersPerSecond' },
  };
}

const ours = 'Holdpoint';
const theirs = 'a bare Temporal workflow that waits for a signal';

async function holdpoint(lab: Lab, server: Server): Promise<Row> {
  const lines = [{ hold: { ask: 'Go on?' }, name: 'first' }, { run: ['true'] }];
  const request = requestOf(lab, 'shop', lines);
  const plan = await planOf(request);
  const { worker, taskQueue } = lab.worker(server, {
    kind: 'idle',
    plan: await planFile(lab, request),
  });
  // The id is the lock, and names the service: so each is the deploy of a service of its own.
  const deployOf = (n: number) => ({ ...request, runbook: { ...request.runbook, service: `shop-${n}` } });
  await inWaves(count, width, (n) => startDeploy(server.client, taskQueue, deployOf(n), `deploy/bench/shop-${n}`));
  const waiting = `HoldpointOutcome = "waiting" AND TaskQueue = "${taskQueue}"`;
  await until(patienceMs, `${count} deploys do not all reach their hold`, async () => {
    return (await server.client.workflow.count(waiting)).count === count;
  });
  const answer = { plan: plan.digest, step: 'prepare.first', by: 'bench' };
  const send = (n: number) => server.client.workflow.getHandle(`deploy/bench/shop-${n}`).signal('approve', answer);
  const row = await answerAll(ours, worker, 'runCommand', send);
  await worker.stop();
  return row;
}

async function bare(lab: Lab, server: Server): Promise<Row> {
  const bundle = await lab.bareWorkflows();
  const { worker, taskQueue } = lab.worker(server, { kind: 'bare', bundle });
  const { workflow } = server.client;
  await inWaves(count, width, (n) => workflow.start('askTwice', { workflowId: `bare-${n}`, taskQueue }));
  await until(patienceMs, `${count} bare workflows do not all begin`, () => ran(worker, 'work').length === count);
  await sleep(2_000); // until the server knows the last ones' results, and they wait
  const send = (n: number) => workflow.getHandle(`bare-${n}`).signal('answer');
  const row = await answerAll(theirs, worker, 'work', send);
  await worker.stop();
  return row;
}

async function answerAll(
  name: string,
  worker: BenchWorker,
  activity: string,
  send: (n: number) => Promise<unknown>,
): Promise<Row> {
  worker.sights.length = 0;
  const began = performance.timeOrigin + performance.now();
  await inWaves(count, width, send);
  const sentMs = performance.timeOrigin + performance.now() - began;
  const done = () => new Set(ran(worker, activity).map(({ run }) => run)).size;
  await until(patienceMs, 'not every answer has its effect', () => done() === count).catch((error: Error) =>
    console.error(error.message),
  );
  await sleep(500); // for a step that would run a second time
  const ends = ran(worker, activity);
  const seconds = (Math.max(...ends.map(({ at }) => at)) - began) / 1_000;
  return {
    name,
    answersPerSecond: rounded(done() / seconds),
    allS: rounded(seconds),
    sentS: rounded(sentMs / 1_000),
    lost: count - done(),
    twice: ends.length - done(),
  };
}

const ran = (worker: BenchWorker, wanted: string) =>
  worker.sights.filter(({ moment, activity }) => moment === 'end' && activity === wanted);

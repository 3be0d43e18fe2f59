import { MockActivityEnvironment } from '@temporalio/testing';
import { createEnvironments } from '../activities/environments/environments.ts';
import { createActivities } from '../activities/index.ts';
import { createMask } from '../activities/secrets/mask.ts';
import type { DeployRequest } from '../workflows/messages.ts';
import type { DeployActivities } from '../workflows/ports.ts';
import { within } from './support/bounded.ts';
import { endAtLastHold, planFile, requestOf, startDeploy } from './support/deploys.ts';
import type { Lab, Server } from './support/lab.ts';
import type { Findings, Row } from './support/result.ts';
import { percentile, rounded, spread } from './support/samples.ts';
import type { Sight, WorkerKind } from './support/worker.ts';

const deploys = 6;
const lines = 25;

/** What a step costs by being durable: the time between the end of one step's own work and the start of the next's. */
export async function step(lab: Lab): Promise<Findings> {
  const dev = await lab.devServer();
  const plain = await lab.defaultServer();
  const request = requestOf(lab, 'steps', Array(lines).fill({ run: ['true'] }));
  const rows = [
    await holdpoint(lab, dev, request, holdpointOnDev, { kind: 'product' }),
    await holdpoint(lab, dev, request, idleOnDev, { kind: 'idle', plan: await planFile(lab, request) }),
    await bare(lab, dev),
    await holdpoint(lab, plain, request, holdpointOnDefault, { kind: 'product' }),
    await direct(lab, request),
  ];
  return {
    title: "A durable step's own cost",
    about:
      `Deploys of ${lines} lines \`run: ["true"]\`, one after another. The own cost is the time from the end of one ` +
      "step's command to the beginning of the next step's, as the worker sees it: result to the server, decision of " +
      'the workflow, next activity to the worker. `stepP50Ms` is the whole step with its command. ' +
      'The first deploy warms up and is not counted.',
    rows,
    goals: [{ row: holdpointOnDev, figure: 'p50Ms', atMost: 15 }],
    ratios: [
      { of: idleOnDev, to: bareOnDev, figure: 'p50Ms' },
      { of: holdpointOnDev, to: holdpointOnDefault, figure: 'p50Ms' },
      { of: holdpointOnDev, to: directly, figure: 'stepP50Ms' },
    ],
    plot: { figure: 'p50Ms', tail: 'p95Ms' },
  };
}

const holdpointOnDev = 'Holdpoint, on the server of `holdpoint dev`';
const idleOnDev = 'the same with activities that do nothing';
const bareOnDev = 'a bare Temporal workflow with an activity that does nothing, on the same server';
const holdpointOnDefault = 'Holdpoint, on `temporal server start-dev` as it comes';
const directly = 'the same commands called one after another, without Temporal';

async function holdpoint(
  lab: Lab,
  server: Server,
  request: DeployRequest,
  name: string,
  kind: Omit<WorkerKind, 'taskQueue'>,
): Promise<Row> {
  const { worker, taskQueue } = lab.worker(server, kind);
  for (let n = 0; n <= deploys; n += 1) {
    const deploy = await startDeploy(server.client, taskQueue, request);
    await within(60_000, 'a deploy of commands that do nothing', endAtLastHold(deploy));
    if (n === 0) worker.sights.length = 0;
  }
  await worker.stop();
  return rowOf(name, worker.sights, 'runCommand');
}

async function bare(lab: Lab, server: Server): Promise<Row> {
  const bundle = await lab.bareWorkflows();
  const { worker, taskQueue } = lab.worker(server, { kind: 'bare', bundle });
  for (let n = 0; n <= deploys; n += 1) {
    const workflowId = `bare-${n}`;
    const run = server.client.workflow.execute('inSequence', { workflowId, taskQueue, args: [lines] });
    await within(60_000, 'a bare workflow', run);
    if (n === 0) worker.sights.length = 0;
  }
  await worker.stop();
  return rowOf(bareOnDev, worker.sights, 'work');
}

/** The product's own activities, as an impatient script would call them. */
async function direct(lab: Lab, request: DeployRequest): Promise<Row> {
  const environments = createEnvironments(lab.environmentsFile);
  const activities = createActivities({ environments, mask: createMask() });
  const call = <V extends keyof DeployActivities>(verb: V, input: Parameters<DeployActivities[V]>[0]) =>
    new MockActivityEnvironment().run(activities[verb] as never, input) as ReturnType<DeployActivities[V]>;
  const { target, steps } = await call('makePlan', request);
  const deploy = 'direct';
  const fence = Date.now();
  await call('claimTarget', { target, writer: { fence, key: deploy, deploy } });
  const sights: Sight[] = [];
  const see = (moment: Sight['moment'], runId: string) =>
    sights.push({ moment, run: deploy, runId, activity: 'runCommand', at: performance.now() });
  for (let n = 0; n <= deploys; n += 1) {
    for (const { id, action } of steps) {
      if (action.kind !== 'run') continue;
      see('begin', `${n}`);
      await call('runCommand', { ...action, target, writer: { fence, key: `${deploy}|${n}|${id}`, deploy } });
      see('end', `${n}`);
    }
    if (n === 0) sights.length = 0;
  }
  return rowOf(directly, sights, 'runCommand');
}

/** Pairs of neighbouring activities of the same kind within one run; `sights` come in order of time. */
function rowOf(name: string, sights: Sight[], activity: string): Row {
  const own: number[] = [];
  const whole: number[] = [];
  const seen = sights.filter((sight) => sight.activity === activity);
  seen.forEach((next, i) => {
    const [begin, end] = [seen[i - 2], seen[i - 1]];
    if (next.moment !== 'begin' || begin?.runId !== next.runId || end?.moment !== 'end') return;
    own.push(next.at - end.at);
    whole.push(next.at - begin.at);
  });
  return { name, ...spread(own), stepP50Ms: rounded(percentile(whole, 0.5)) };
}

import { MockActivityEnvironment } from '@temporalio/testing';

import { createWorld } from '../activities/index.ts';

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
  const commands = Array(lines).fill({ run: ['true'] });
  const request = requestOf(lab, 'steps', commands);
  const contestants = [
    holdpoint(lab, dev, request, holdpointOnDev, { kind: 'product' }),
    holdpoint(lab, dev, request, idleOnDev, { kind: 'idle', plan: await planFile(lab, request) }),
    bare(lab, dev, await lab.bareWorkflows()),
    holdpoint(lab, plain, requestOf(lab, 'plain', commands), holdpointOnDefault, { kind: 'product' }),
    await direct(lab, requestOf(lab, 'direct', commands)),
  ];
  // In turn, so that whatever else the machine does meets all of them.
  for (let n = 0; n <= deploys; n += 1) {
    for (const { round, sights } of contestants) {
      await within(60_000, 'a run of commands that do nothing', round(`${n}`));
      if (n === 0) sights.length = 0;
    }
  }
  const rows = contestants.map(rowOf);
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

/** Something that does the same steps, once a round. */
interface Contestant {
  name: string;
  round(name: string): Promise<unknown>;
  activity: string;
  sights: Sight[];
}

function holdpoint(
  lab: Lab,
  server: Server,
  request: DeployRequest,
  name: string,
  kind: Omit<WorkerKind, 'taskQueue'>,
): Contestant {
  const { worker, taskQueue } = lab.worker(server, kind);
  const round = async () => endAtLastHold(await startDeploy(server.client, taskQueue, request));
  return { name, round, activity: 'runCommand', sights: worker.sights };
}

function bare(lab: Lab, server: Server, bundle: string): Contestant {
  const { worker, taskQueue } = lab.worker(server, { kind: 'bare', bundle });
  const round = (name: string) =>
    server.client.workflow.execute('inSequence', { workflowId: `bare-${name}`, taskQueue, args: [lines] });
  return { name: bareOnDev, round, activity: 'work', sights: worker.sights };
}

/** The product's own activities, as an impatient script would call them. */
async function direct(lab: Lab, request: DeployRequest): Promise<Contestant> {
  const { activities } = createWorld(lab.environmentsFile);
  const call = <V extends keyof DeployActivities>(verb: V, input: Parameters<DeployActivities[V]>[0]) =>
    new MockActivityEnvironment().run(activities[verb] as never, input) as ReturnType<DeployActivities[V]>;
  const { targets, steps } = await call('makePlan', request);
  const target = targets[0]!;
  const deploy = 'direct';
  const fence = Date.now();
  await call('claimTarget', { target, writer: { fence, key: deploy, deploy } });
  const activity = 'runCommand';
  const sights: Sight[] = [];
  const round = async (runId: string) => {
    for (const { id, action } of steps) {
      if (action.kind !== 'run') continue;
      const writer = { fence, key: `${deploy}|${runId}|${id}`, deploy };
      sights.push({ moment: 'begin', run: deploy, runId, activity, at: performance.now() });
      await call(activity, { ...action, target, writer });
      sights.push({ moment: 'end', run: deploy, runId, activity, at: performance.now() });
    }
  };
  return { name: directly, round, activity, sights };
}

/** Pairs of neighbouring activities of the same kind within one run; sights come in order of time. */
function rowOf({ name, sights, activity }: Contestant): Row {
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

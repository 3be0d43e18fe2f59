// A worker in a process of its own, from the compiled product; says over IPC when an activity begins and ends.
// What kind of worker comes as JSON: see worker.ts.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createWorld } from '../../dist/activities/index.js';
import { createWorker } from '../../dist/worker/create-worker.js';
import { runWorker } from '../../dist/worker/main.js';
import { workflowCode } from '../../dist/worker/workflow-bundle.js';

const { kind, taskQueue, environments, bundle, plan } = JSON.parse(process.argv[2]);
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const tell = (moment, { activityType, workflowExecution }) =>
  process.send({
    moment,
    activity: activityType,
    run: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    at: now(),
  });
const now = () => performance.timeOrigin + performance.now();
const observe = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      tell('begin', info);
      try {
        return await next(input);
      } finally {
        tell('end', info);
      }
    },
  },
});

/** Activities that do nothing, so that what is left is the cost of the workflows; the plan is given. */
function idle() {
  const answers = { makePlan: async () => JSON.parse(readFileSync(plan, 'utf8')) };
  const nothing = async () => ({});
  for (const verb of Object.keys(createWorld(null).activities)) answers[verb] ??= nothing;
  return answers;
}

async function work(start) {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
  const worker = await start({ connection, namespace: 'default', taskQueue });
  await worker.run();
}

const kinds = {
  /** As `holdpoint worker` runs it. */
  product: () => runWorker({ taskQueue, environments, interceptors: [observe] }),
  /** The same workflows and activities under Temporal's own worker settings. */
  defaults: () =>
    work(async (where) => {
      const { activities, interceptors } = createWorld(environments);
      return Worker.create({
        ...where,
        ...(await workflowCode()),
        activities,
        interceptors: { activity: [...interceptors, observe] },
      });
    }),
  /** The product's workflows and settings. */
  idle: () => work((where) => createWorker({ ...where, activities: idle(), interceptors: [observe] })),
  /** Workflows written straight on Temporal, under the product's settings. */
  bare: () =>
    work((where) => {
      const code = { workflowBundle: { codePath: bundle } };
      return createWorker({ ...where, code, activities: { work: async () => ({}) }, interceptors: [observe] });
    }),
};
await kinds[kind]();

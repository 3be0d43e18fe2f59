import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { afterAll, inject } from 'vitest';
import { createWorker } from '../../worker/create-worker.ts';
import { type DeployRequest, deployId, deployWorkflow, searchAttributes } from '../../workflows/messages.ts';
import type { FakeWorld } from './fake-world.ts';
import { aRunbook } from './runbooks.ts';
import { RunningDeploy } from './running-deploy.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const namespace = 'default';
const open: { end(): Promise<void> }[] = [];
afterAll(async () => {
  for (const { end } of open) await end();
});

/** A worker on the real server whose world is a fake one, and a client for its runs. */
export async function withWorld(world: FakeWorld) {
  const address = inject('temporalAddress');
  const taskQueue = `fake-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  const code = { workflowBundle: { codePath: inject('workflowBundle') } };
  const work = async () => {
    const worker = await createWorker({ connection, namespace, taskQueue, activities: world.activities, code });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const deploys = new Deploys(client, taskQueue, world, { work, rest: await work() });
  open.push({
    async end() {
      await deploys.stopWorking();
      await client.connection.close();
      await connection.close();
    },
  });
  return deploys;
}

/** Starts a worker; what it gives stops it. */
type Work = () => Promise<() => Promise<void>>;

export class Deploys {
  readonly client: Client;
  readonly world: FakeWorld;
  readonly taskQueue: string;
  /** Its own, so that tests do not hold each other's lock. */
  readonly environment = `env-${randomUUID().slice(0, 8)}`;

  private readonly worker: { work: Work; rest: () => Promise<void> };

  constructor(client: Client, taskQueue: string, world: FakeWorld, worker: { work: Work; rest: () => Promise<void> }) {
    this.client = client;
    this.taskQueue = taskQueue;
    this.world = world;
    this.worker = worker;
  }

  /** No worker is there until what this gives is called. */
  async stopWorking(): Promise<() => Promise<void>> {
    await this.worker.rest();
    this.worker.rest = async () => {};
    return async () => {
      this.worker.rest = await this.worker.work();
    };
  }

  async start(version: string | null, headings: Record<string, unknown> = {}, more: Partial<DeployRequest> = {}) {
    const runbook = aRunbook(headings);
    const { environment } = this;
    const request: DeployRequest = {
      runbook,
      environment,
      folder: '/shop',
      version,
      intent: 'deploy',
      by: 'ana',
      ...more,
    };
    const handle = await this.client.workflow.start(deployWorkflow, {
      args: [request],
      workflowId: deployId(environment, runbook.service),
      taskQueue: this.taskQueue,
      workflowTaskTimeout: '5s',
      typedSearchAttributes: [
        { key: searchAttributes.service, value: runbook.service },
        { key: searchAttributes.environment, value: environment },
      ],
    });
    return new RunningDeploy(this.client, handle.workflowId, handle.firstExecutionRunId);
  }

  rollback(headings: Record<string, unknown> = {}) {
    return this.start(null, headings, { intent: 'rollback' });
  }

  reconcile(headings: Record<string, unknown> = {}) {
    return this.start(null, headings, { intent: 'reconcile' });
  }
}

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';
import { createWorker } from '../../../worker/create-worker.ts';
import { deployId, statusQuery } from '../../../workflows/messages.ts';
import type { RunStatus } from '../../../workflows/runbook/status.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { type Ended, holdpoint } from './cli.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A service of its own on the real Temporal server, with a worker whose world is a fake one. */
export class Stage {
  readonly service = `shop-${randomUUID().slice(0, 8)}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'holdpoint-cli-'));
  readonly file = join(this.folder, 'holdpoint.yaml');
  readonly taskQueue = `cli-${randomUUID()}`;
  readonly world: FakeWorld;
  private client: Client | null = null;
  private stopWorker = async () => {};

  /** YAML below the small runbook, and inside its `prepare`. */
  constructor(headings = '', prepare = '', world = FakeWorld.serving('1')) {
    this.world = world;
    for (const version of ['1', '2', '3']) mkdirSync(join(this.folder, 'releases', version), { recursive: true });
    writeFileSync(this.file, `${minimalRunbook(this.service, prepare)}${headings}`);
  }

  async startWorker(): Promise<void> {
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const worker = await createWorker({
      connection,
      namespace: 'default',
      taskQueue: this.taskQueue,
      activities: this.world.activities,
      code: { workflowBundle: { codePath: inject('workflowBundle') } },
    });
    const running = worker.run();
    this.client = new Client({ connection: await Connection.connect({ address: inject('temporalAddress') }) });
    this.stopWorker = async () => {
      worker.shutdown();
      await running;
      await this.client?.connection.close();
      await connection.close();
    };
  }

  /** A command about this service, as a process. */
  run(argv: string[], signal?: AbortSignal): Promise<Ended> {
    const [command, ...rest] = argv;
    return holdpoint([command!, '-f', this.file, ...rest], this.env, signal);
  }

  get env(): Record<string, string> {
    return { TEMPORAL_ADDRESS: inject('temporalAddress'), HOLDPOINT_TASK_QUEUE: this.taskQueue };
  }

  /** Of the newest run; null while there is none. Asked without the command line, which takes a second to start. */
  async status(): Promise<RunStatus | null> {
    const handle = this.client!.workflow.getHandle(deployId('local', this.service));
    return handle.query<RunStatus>(statusQuery).catch(() => null);
  }

  /** Looks until the run is as wanted; the test's own time limit is the deadline. */
  async until(wanted: (status: RunStatus) => boolean): Promise<RunStatus> {
    for (;;) {
      const status = await this.status();
      if (status && wanted(status)) return status;
      await sleep(100);
    }
  }

  async end(): Promise<void> {
    await this.stopWorker();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function minimalRunbook(service: string, prepare = ''): string {
  return `service: ${service}
prepare:
  artifact: { folder: "releases/{version}" }
${prepare}rollout:
  start: [node, server.js, --port, "{port}"]
`;
}

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { createWorld } from '../activities/index.ts';
import { payloadCodecs } from '../configuration/payload-codecs.ts';
import { createWorker, type WorkerParts } from './create-worker.ts';
import { logger } from './log.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

export interface WorkerOptions {
  taskQueue: string;
  /** File of the environments; absent: everything is allowed, on this machine only. */
  environments?: string;
  /** Around every activity, for those who run a worker of their own. */
  interceptors?: WorkerParts['interceptors'];
}

/** Runs a worker until SIGINT or SIGTERM; where Temporal is comes from TEMPORAL_* and temporal.toml. */
export async function runWorker({ taskQueue, environments, interceptors = [] }: WorkerOptions): Promise<void> {
  Runtime.install({ logger });
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  const world = createWorld(environments ?? null);
  try {
    await ensureSearchAttributes(connection, namespace);
    const around = [...world.interceptors, ...interceptors];
    const worker = await createWorker({
      connection,
      namespace,
      taskQueue,
      activities: world.activities,
      interceptors: around,
      payloadCodecs: await payloadCodecs(),
    });
    await worker.run();
  } finally {
    await world.close();
    await connection.close();
  }
}

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { createEnvironments } from '../activities/environments/environments.ts';
import { createMask } from '../activities/secrets/mask.ts';
import { maskSecrets } from '../activities/secrets/mask-interceptor.ts';
import { createWorker, type WorkerParts } from './create-worker.ts';
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
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    await ensureSearchAttributes(connection, namespace);
    const mask = createMask();
    const activities = createActivities({ environments: createEnvironments(environments ?? null), mask });
    const parts = { connection, namespace, taskQueue, activities, interceptors: [maskSecrets(mask), ...interceptors] };
    const worker = await createWorker(parts);
    await worker.run();
  } finally {
    await connection.close();
  }
}

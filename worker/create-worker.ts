import type { PayloadCodec } from '@temporalio/common';
import { type ActivityInterceptorsFactory, type NativeConnection, Worker } from '@temporalio/worker';
import type { DeployActivities } from '../workflows/ports.ts';
import { type WorkflowCode, workflowCode } from './workflow-bundle.ts';

export interface WorkerParts {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: DeployActivities;
  /** Around every activity, outermost first. */
  interceptors?: ActivityInterceptorsFactory[];
  /** Around everything that Temporal stores. */
  payloadCodecs?: PayloadCodec[];
  /** Default: the bundle that the build made, or the sources. */
  code?: WorkflowCode;
}

/** A worker with the options that make a crash cheap; does not run yet. */
export async function createWorker(parts: WorkerParts): Promise<Worker> {
  const { connection, namespace, taskQueue, activities, interceptors = [], payloadCodecs = [] } = parts;
  return Worker.create({
    ...(parts.code ?? (await workflowCode())),
    connection,
    namespace,
    taskQueue,
    activities,
    dataConverter: { payloadCodecs },
    interceptors: { activity: interceptors },
    // The next workflow task of a dead worker waits this long for it before another may have it (default 10 s).
    stickyQueueScheduleToStartTimeout: '1s',
    // SIGTERM lets activities end by themselves (default 0: they are cut off at once).
    shutdownGraceTime: '20s',
    shutdownForceTime: '30s',
    maxConcurrentActivityTaskExecutions: 20,
    maxCachedWorkflows: 200,
    // A cancellation reaches an activity with a heartbeat, so heartbeats go out often (default up to 60 s apart).
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
  });
}

import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { DeployActivities } from '../workflows/ports.ts';
import { createDeployActivities } from './deploy-activities.ts';
import { createEnvironments } from './environments/environments.ts';
import { heartbeat } from './heartbeat.ts';
import { createMask } from './secrets/mask.ts';
import { maskSecrets } from './secrets/mask-interceptor.ts';
import { closeConnections } from './ssh/pool.ts';

/** The walker's verbs on real targets, and what has to be around each: heartbeats, and a mask over every secret. */
export interface World {
  activities: DeployActivities;
  interceptors: ActivityInterceptorsFactory[];
  /** Ends the connections to machines. */
  close(): Promise<void>;
}

/** `environments`: the operators' file; null: everything is allowed, on this machine only. */
export function createWorld(environments: string | null): World {
  const mask = createMask();
  return {
    activities: createDeployActivities({ environments: createEnvironments(environments), mask }),
    interceptors: [maskSecrets(mask), heartbeat],
    close: closeConnections,
  };
}

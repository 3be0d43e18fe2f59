import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defaultTaskQueue } from '../../workflows/messages.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type CommonOptions, taskQueueOf } from '../options.ts';
import { withSession } from '../temporal/connect.ts';
import { complain } from '../terminal.ts';

export interface WorkerOptions extends Pick<CommonOptions, 'address' | 'namespace' | 'profile' | 'taskQueue'> {
  environments?: string;
}

/** Runs a worker until Ctrl-C or SIGTERM. */
export async function worker(options: WorkerOptions): Promise<ExitCode> {
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  // Asked first, since this says better why Temporal cannot be reached.
  const { address, namespace } = await withSession(options, async (session) => session);
  const environments = environmentsFile(options.environments);
  complain(`Worker on task queue ${taskQueue}, Temporal ${address}, namespace ${namespace}`);
  complain(`Environments: ${environments ?? 'none; everything is allowed, on this machine only'}`);
  await work({ address, namespace, ...(options.profile && { profile: options.profile }) }, taskQueue, environments);
  return exitCodes.succeeded;
}

/** The worker itself; it reads where Temporal is from Temporal's own variables. Resolves once it has stopped. */
export async function work(
  temporal: { address: string; namespace: string; profile?: string },
  taskQueue: string,
  environments: string | undefined,
): Promise<void> {
  process.env.TEMPORAL_ADDRESS = temporal.address;
  process.env.TEMPORAL_NAMESPACE = temporal.namespace;
  if (temporal.profile) process.env.TEMPORAL_PROFILE = temporal.profile;
  const { runWorker } = await import('../../worker/main.ts');
  await runWorker({ taskQueue, ...(environments && { environments }) });
}

/** `--environments`, else `$HOLDPOINT_ENVIRONMENTS`, else `environments.yaml` here; undefined where there is none. */
export function environmentsFile(given: string | undefined): string | undefined {
  const named = given ?? process.env.HOLDPOINT_ENVIRONMENTS;
  if (named) return resolve(named);
  return existsSync('environments.yaml') ? resolve('environments.yaml') : undefined;
}

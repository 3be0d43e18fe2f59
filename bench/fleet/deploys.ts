import type { Client } from '@temporalio/client';
import type { DeployRequest } from '../../workflows/messages.ts';
import { runbookSchema } from '../../workflows/runbook/schema.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { within } from '../support/bounded.ts';
import { type Deploy, startDeploy } from '../support/deploys.ts';
import type { Lab } from '../support/lab.ts';

const patienceMs = 300_000;

export const service = 'fleet';

/** A deploy to machines on which a release is live by a link. */
export function linkRequest(lab: Lab, version: string, prepare: object, rollout: object = {}): DeployRequest {
  const runbook = runbookSchema.parse({
    service,
    prepare,
    rollout: { strategy: 'reload', ready: 'healthcheck', batch: ['50%'], ...rollout },
  });
  const { environment, folder } = lab;
  return { runbook, environment, folder, version, intent: 'deploy', by: 'bench' };
}

/** From its start to its end. Throws where it did not succeed. */
export async function deployed(
  client: Client,
  taskQueue: string,
  request: DeployRequest,
): Promise<{ deploy: Deploy; ms: number }> {
  const began = performance.now();
  const deploy = await startDeploy(client, taskQueue, request);
  const status = (await within(patienceMs, 'a deploy to a fleet', deploy.result())) as RunStatus;
  const ms = performance.now() - began;
  if (status.outcome === 'succeeded' && status.aside.length === 0) return { deploy, ms };
  throw new Error(`the deploy to a fleet ended otherwise: ${status.sentence}`);
}

/** From the moment the first activity of this name was asked for to the moment the last one's result was there, ms. */
export async function activitiesMs(deploy: Deploy, name: string): Promise<number> {
  const { events } = await deploy.fetchHistory();
  const at = ({ eventTime }: { eventTime?: { seconds?: unknown; nanos?: number | null } | null }) =>
    Number(eventTime?.seconds) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
  const asked = (events ?? []).filter(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === name,
  );
  const ids = new Set(asked.map(({ eventId }) => String(eventId)));
  const ended = (events ?? []).filter(({ activityTaskCompletedEventAttributes: completed }) =>
    ids.has(String(completed?.scheduledEventId)),
  );
  return Math.max(...ended.map(at)) - Math.min(...asked.map(at));
}

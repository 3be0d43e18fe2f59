import type { Client } from '@temporalio/client';
import { FakeWorld } from '../../test/support/fake-world.ts';
import {
  type DeployRequest,
  deployId,
  deployWorkflow,
  searchAttributes,
  statusQuery,
} from '../../workflows/messages.ts';
import { runbookSchema } from '../../workflows/runbook/schema.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { until } from './bounded.ts';
import type { Lab } from './lab.ts';

/** A deploy of lines of one's own that ends at a hold, before anything is rolled out. */
export function requestOf(lab: Lab, service: string, lines: object[]): DeployRequest {
  const runbook = runbookSchema.parse({
    service,
    prepare: {
      artifact: { folder: 'releases/{version}' },
      after: [...lines, { hold: { ask: 'Roll out?' }, name: 'last' }],
    },
    rollout: { start: ['never-started'], strategy: 'recreate' },
  });
  const { environment, folder } = lab;
  return { runbook, environment, folder, version: '1', intent: 'deploy', by: 'bench' };
}

/** The id of the deploy's last hold. */
export const lastHold = 'prepare.last';

/** Started as the product's own client starts it; `workflowId` only for many deploys of one service. */
export async function startDeploy(client: Client, taskQueue: string, request: DeployRequest, workflowId?: string) {
  const id = workflowId ?? deployId(request.environment, request.runbook.service);
  return client.workflow.start(deployWorkflow, {
    args: [request],
    workflowId: id,
    taskQueue,
    workflowTaskTimeout: '5s',
    typedSearchAttributes: [
      { key: searchAttributes.service, value: request.runbook.service },
      { key: searchAttributes.environment, value: request.environment },
    ],
  });
}

export type Deploy = Awaited<ReturnType<typeof startDeploy>>;

/** Waits until the deploy asks at this hold; gives its status. */
export async function asks(deploy: Deploy, step: string): Promise<RunStatus> {
  let status: RunStatus | undefined;
  await until(60_000, `${deploy.workflowId} does not ask ${step}`, async () => {
    status = await deploy.query<RunStatus>(statusQuery).catch(() => undefined);
    if (status?.outcome) throw new Error(`${deploy.workflowId} has ended: ${status.sentence}`);
    return status?.hold?.step === step;
  });
  return status!;
}

/** Says no at the last hold and waits for the end, which rolls nothing back since nothing was rolled out. */
export async function endAtLastHold(deploy: Deploy): Promise<void> {
  const { digest } = await asks(deploy, lastHold);
  await deploy.signal('reject', { plan: digest, step: lastHold, by: 'bench' });
  await deploy.result();
}

/** For an idle worker: the plan of such a deploy to a target that is only thought of. Read its digest from `planOf`. */
export async function planFile(lab: Lab, request: DeployRequest): Promise<string> {
  return lab.write('plan.json', JSON.stringify(await planOf(request)));
}

export const planOf = (request: DeployRequest) => new FakeWorld().activities.makePlan(request);

import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { type DeployRequest, deployId, deployWorkflow, searchAttributes } from '../../workflows/messages.ts';
import { aRunbook } from './runbooks.ts';
import { RunningDeploy } from './running-deploy.ts';
import type { Site } from './site.ts';

/** What a test's runbook says unless it says otherwise: one server, health at /healthz, quick drains. */
const rollout = {
  start: [process.execPath, 'server.mjs', '{port}'],
  ready: 'GET /healthz',
  deadline: '15s',
  drain: '10s',
  grace: '5s',
};

/** A client that starts deploys to a site. */
export async function clientOf(
  site: Pick<Site, 'temporalAddress' | 'service' | 'environment' | 'folder' | 'taskQueue'>,
  payloadCodecs: PayloadCodec[] = [],
) {
  const client = new Client({
    dataConverter: { payloadCodecs },
    connection: await Connection.connect({ address: site.temporalAddress }),
  });
  return {
    client,
    async deploy(version: string | null, headings: Record<string, unknown> = {}, more: Partial<DeployRequest> = {}) {
      const { service, environment, folder, taskQueue } = site;
      const own = (headings.rollout ?? {}) as Record<string, unknown>;
      const runbook = aRunbook({ ...headings, service, rollout: { ...rollout, ...own } });
      const request: DeployRequest = { runbook, environment, folder, version, intent: 'deploy', by: 'ana', ...more };
      const handle = await client.workflow.start(deployWorkflow, {
        args: [request],
        workflowId: deployId(environment, service),
        taskQueue,
        workflowTaskTimeout: '5s',
        typedSearchAttributes: [{ key: searchAttributes.service, value: service }],
      });
      return new RunningDeploy(client, handle.workflowId, handle.firstExecutionRunId);
    },
    close: () => client.connection.close(),
  };
}

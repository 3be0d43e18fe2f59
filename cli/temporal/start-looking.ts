import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { type DeployRequest, type lookWorkflow, planWorkflow, searchAttributes } from '../../workflows/messages.ts';
import { summary } from '../request.ts';
import type { Session } from './connect.ts';

/** Workflows that change nothing. */
export type Looking = typeof planWorkflow | typeof lookWorkflow;

/** Asks a worker to look, or to plan as well. It changes nothing, so any number may run at once. */
export function startLooking(
  session: Session,
  workflow: Looking,
  request: DeployRequest,
  taskQueue: string,
): Promise<WorkflowHandle> {
  const { environment } = request;
  const { service } = request.runbook;
  return session.client.workflow.start(workflow, {
    workflowId: `${workflow}/${environment}/${service}/${randomBytes(4).toString('hex')}`,
    taskQueue,
    args: [request],
    workflowTaskTimeout: '5s',
    typedSearchAttributes: [
      { key: searchAttributes.service, value: service },
      { key: searchAttributes.environment, value: environment },
    ],
    staticSummary: workflow === planWorkflow ? `Plan: ${summary(request)}` : `Look at ${service} in ${environment}`,
  });
}

import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { type DeployRequest, planWorkflow, searchAttributes } from '../../workflows/messages.ts';
import { summary } from '../request.ts';
import type { Session } from './connect.ts';

/** Asks a worker to look and to plan. It changes nothing, so any number may run at once. */
export function startPlan(session: Session, request: DeployRequest, taskQueue: string): Promise<WorkflowHandle> {
  const { service } = request.runbook;
  return session.client.workflow.start(planWorkflow, {
    workflowId: `plan/${request.environment}/${service}/${randomBytes(4).toString('hex')}`,
    taskQueue,
    args: [request],
    workflowTaskTimeout: '5s',
    typedSearchAttributes: [
      { key: searchAttributes.service, value: service },
      { key: searchAttributes.environment, value: request.environment },
    ],
    staticSummary: `Plan: ${summary(request)}`,
  });
}

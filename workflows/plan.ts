import type { DeployRequest } from './messages.ts';
import { makePlan } from './prepare-plan.ts';
import type { Plan } from './runbook/plan.ts';

/** The plan that a deploy started now would walk. Changes nothing. */
export function plan(request: DeployRequest): Promise<Plan> {
  return makePlan(request);
}

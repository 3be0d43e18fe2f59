import { ApplicationFailure } from '@temporalio/workflow';
import { activities } from './activity-proxies.ts';
import type { DeployRequest } from './messages.ts';
import type { Run } from './run.ts';
import { namesPlan } from './runbook/names-plan.ts';
import type { Plan } from './runbook/plan.ts';

/** Short, since somebody waits for it; what keeps it from being made is said. */
export const planningMs = 15_000;
/** How many there are is only known once it is made. Nobody is tried for long here, so it is enough for a thousand. */
export const mostMachines = 300;

/** Observes and plans, in an activity, so that the plan is in the history and is walked exactly as it was made. */
export async function preparePlan(run: Run, request: DeployRequest): Promise<void> {
  const plan = await makePlan(request);
  run.adopt(plan);
  if (request.plan && !namesPlan(request.plan, plan.digest)) {
    const message = `the plan is ${plan.digest} now, not ${request.plan}: the target has changed. Look at it again with \`holdpoint plan\``;
    throw ApplicationFailure.nonRetryable(message, 'PlanMoved');
  }
}

/** What `holdpoint plan` runs: the same activity, and nothing else. */
export function makePlan({ runbook, environment, folder, version, intent }: DeployRequest): Promise<Plan> {
  const what = {
    deploy: `the deploy of ${runbook.service} ${version}`,
    rollback: `the way back of ${runbook.service}`,
    reconcile: `how to bring every machine of ${runbook.service} in line`,
  }[intent];
  return activities('quick', planningMs, `Look at ${environment} and plan ${what}`, mostMachines).makePlan({
    runbook,
    environment,
    folder,
    version,
    intent,
  });
}

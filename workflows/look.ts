import { activities } from './activity-proxies.ts';
import type { DeployRequest } from './messages.ts';
import { mostMachines, planningMs } from './prepare-plan.ts';
import type { TargetLook } from './runbook/target-look.ts';

/** What runs where now. Changes nothing. */
export function look({ runbook, environment, folder }: DeployRequest): Promise<TargetLook[]> {
  const sentence = `Look at ${runbook.service} in ${environment}`;
  return activities('quick', planningMs, sentence, mostMachines).lookAtTargets({ runbook, environment, folder });
}

import type { PlanRequest } from '../../workflows/ports.ts';
import { planDeploy } from '../../workflows/runbook/make-plan.ts';
import type { Plan } from '../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../workflows/runbook/plan-refused.ts';
import { planRollback } from '../../workflows/runbook/plan-rollback.ts';
import type { Environments } from '../environments/environments.ts';
import { refuse } from '../failures.ts';
import type { Mask } from '../secrets/mask.ts';
import { openSite } from '../site.ts';
import { withDigest } from './digest.ts';
import { observe } from './observe.ts';
import { releasesOf } from './releases.ts';

/** Observes, then plans; the same target and request give the same plan and digest. Changes nothing. */
export async function makePlan(environments: Environments, mask: Mask, request: PlanRequest): Promise<Plan> {
  const { runbook, environment, folder, version, intent } = request;
  const { target, approvers } = await environments.place(runbook, environment, folder);
  const releases = releasesOf(runbook.prepare.artifact.folder, folder);
  const observed = await observe(openSite(target, mask), { runbook, target, releases, version });
  const input = { runbook, environment, target, approvers, observed, releaseFolder: releases.folderOf };
  try {
    return withDigest(intent === 'rollback' ? planRollback(input) : planDeploy(input, version ?? ''));
  } catch (error) {
    if (error instanceof PlanRefused) throw refuse(error.type, error.message);
    throw error;
  }
}

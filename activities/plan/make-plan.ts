import type { PlanRequest } from '../../workflows/ports.ts';
import { planDeploy } from '../../workflows/runbook/make-plan.ts';
import type { Plan, Target } from '../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../workflows/runbook/plan-refused.ts';
import { planReconcile, planRollback } from '../../workflows/runbook/plan-rollback.ts';
import type { PlanInput } from '../../workflows/runbook/planning.ts';
import { absolute, artifactOf, releaseOf } from '../artifacts/index.ts';
import type { Environments, Place } from '../environments/environments.ts';
import { refuse } from '../failures.ts';
import type { Mask } from '../secrets/mask.ts';
import { type Machine, openSite } from '../site.ts';
import { checkEnv } from './check-env.ts';
import { withDigest } from './digest.ts';
import { observe } from './observe.ts';

/** Observes, then plans; the same targets and request give the same plan and digest. Changes nothing. */
export async function makePlan(environments: Environments, mask: Mask, asked: PlanRequest): Promise<Plan> {
  const request = located(asked);
  const { runbook, environment, folder, version, intent } = request;
  const { places, approvers } = await environments.place(runbook, environment, folder);
  if (intent === 'deploy') await checkEnv(runbook, folder);
  const inputs: PlanInput[] = [];
  for (const [index, place] of places.entries()) {
    // Of a fleet the plan is made with the machines that answer.
    const { observed, target } = await look(place, mask, request, index === 0);
    inputs.push({ ...place, target, runbook, environment, approvers, observed, releaseOf: releasesAt(place, request) });
  }
  // They are applied once, at the first target, and concern the code of all.
  for (const { observed } of inputs) observed.migrations = inputs[0]!.observed.migrations;
  const [first, ...others] = inputs as [PlanInput, ...PlanInput[]];
  try {
    const plan = planners[intent]([first, ...others], version ?? '');
    return withDigest({ ...plan, targets: plan.targets.map((target) => whole(target, places)) });
  } catch (error) {
    if (error instanceof PlanRefused) throw refuse(error.type, error.message);
    throw error;
  }
}

const planners = { deploy: planDeploy, rollback: planRollback, reconcile: planReconcile };

/** The walker knows every machine, as the proxy does. */
function whole({ name, home }: Target, places: Place[]): Target {
  const { target } = places.find((place) => place.target.name === name)!;
  return { ...target, home };
}

function located(request: PlanRequest): PlanRequest {
  const { runbook, folder } = request;
  const { prepare } = runbook;
  return { ...request, runbook: { ...runbook, prepare: { ...prepare, artifact: absolute(prepare.artifact, folder) } } };
}

/** Migrations belong to the first target: they are applied once. */
function look({ target }: Place, mask: Mask, { runbook, folder, version }: PlanRequest, first: boolean) {
  const site = openSite(target, mask);
  const artifactAt = ({ target: alone, host }: Machine) =>
    artifactOf(runbook.prepare.artifact, { target: alone, folder, site: { host, secrets: site.secrets } });
  return observe(site, { runbook, artifactAt, version, migrates: first && runbook.migrate !== undefined });
}

function releasesAt({ target }: Place, { runbook, folder }: PlanRequest) {
  return releaseOf(runbook.prepare.artifact, target, folder);
}

import type { Release } from './plan.ts';
import type { Draft, PlanInput } from './planning.ts';

/** The release is made available at the target, before anything is touched. */
export function fetchStep({ runbook, target }: PlanInput, release: Release): Draft {
  const { artifact, secrets } = runbook.prepare;
  return {
    id: 'prepare.release',
    phase: 'prepare',
    sentence: `Make sure that ${runbook.service} ${release.version} is on ${target.name} and its secrets resolve`,
    action: { kind: 'fetch', release, artifact, secrets },
    deadlineMs: fetchMs,
  };
}

/** Pulling a large image over a slow line. */
const fetchMs = 15 * 60_000;

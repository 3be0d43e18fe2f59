import { createHash } from 'node:crypto';
import type { Plan } from '../../workflows/runbook/plan.ts';

/** `sha256:` and 64 hex digits over the plan's JSON with sorted keys: the same plan has the same digest anywhere. */
export function withDigest(plan: Omit<Plan, 'digest'>): Plan {
  // Why a machine does not answer is told in other words each time, and is no other plan.
  const aside = plan.aside.map(({ target, host }) => ({ target, host }));
  const digest = createHash('sha256')
    .update(canonical({ ...plan, aside }))
    .digest('hex');
  return { ...plan, digest: `sha256:${digest}` };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

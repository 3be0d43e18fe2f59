import type { Runbook, Strategy } from './schema.ts';

/** A target as the runbook's `rollout.on` names it. */
export interface NamedTarget {
  name: string;
  strategy: Strategy;
  ready: string;
}

/** The targets in the order in which they are renewed; what an entry does not say is the rollout's. */
export function targetsOf({ rollout }: Runbook): NamedTarget[] {
  return [rollout.on].flat().map((written) => {
    if (typeof written === 'string') return { name: written, strategy: rollout.strategy, ready: rollout.ready };
    const { target, strategy = rollout.strategy, ready = rollout.ready } = written;
    return { name: target, strategy, ready };
  });
}

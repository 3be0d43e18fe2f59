import type { HostPort } from '../../workflows/ports.ts';
import type { Target } from '../../workflows/runbook/plan.ts';

/** What an instances port is made of, beside its own options. */
export interface InstancesContext {
  target: Target;
  /** The machine on which the service runs. */
  host: HostPort;
}

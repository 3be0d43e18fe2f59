import type { HostPort } from '../../workflows/ports.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import type { Mask } from '../secrets/mask.ts';

/** What an instances port is made of, beside its own options. */
export interface InstancesContext {
  target: Target;
  /** The machine on which the service runs. */
  host: HostPort;
  /** Takes secrets out of what is kept of a command's output. */
  mask: Mask;
}

import type { HostPort } from '../../workflows/ports.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import type { Mask } from '../secrets/mask.ts';

/** What an instances port is made of, beside its own options. */
export interface InstancesContext {
  /** One machine: of a fleet the one that `host` is, its slots called by their side. */
  target: Target;
  /** The machine on which the service runs. */
  host: HostPort;
  /** Where what runs there can be reached: `127.0.0.1`, or the machine's address in its fleet. */
  address: string;
  /** Takes secrets out of what is kept of a command's output. */
  mask: Mask;
}

import type { HostPort } from '../../workflows/ports.ts';
import type { Target } from '../../workflows/runbook/plan.ts';

/** What a proxy's port is made of, beside its own options. */
export interface TrafficContext {
  target: Target;
  /** The machine on which the proxy runs: its paths, sockets and URLs are of that machine. */
  host: HostPort;
}

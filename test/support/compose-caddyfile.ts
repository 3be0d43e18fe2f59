import { parse } from 'yaml';
import { type CaddyInput, caddyfile, caddySite } from '../../workflows/runbook/caddyfile.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';

/** All that Caddy has to be told for the targets of `production`, each with a site of its own. */
export function caddyfileFor(environments: string): string {
  const { targets } = parse(environments).environments.production;
  const [first, ...others] = Object.values<Written>(targets).map(({ traffic, ports }) => ({
    ...traffic.caddy,
    upstreams: upstreamsAt('127.0.0.1', ports),
  }));
  return [caddyfile(first!), ...others.map(caddySite)].join('\n');
}

interface Written {
  ports: Record<Slot, number>;
  traffic: { caddy: Omit<CaddyInput, 'upstreams'> & { admin: string } };
}

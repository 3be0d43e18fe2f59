import { parse } from 'yaml';
import { type CaddyInput, caddyfile, caddySite } from '../../workflows/runbook/caddyfile.ts';

/** All that Caddy has to be told for the targets of `production`, each with a site of its own. */
export function caddyfileFor(environments: string): string {
  const { targets } = parse(environments).environments.production;
  const [first, ...others] = Object.values<Written>(targets).map(({ traffic, ports }) => ({ ...traffic.caddy, ports }));
  return [caddyfile(first!), ...others.map(caddySite)].join('\n');
}

interface Written {
  ports: CaddyInput['ports'];
  traffic: { caddy: Omit<CaddyInput, 'ports'> & { admin: string } };
}

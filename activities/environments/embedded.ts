import type { Runbook } from '../../workflows/runbook/schema.ts';
import { targetsOf } from '../../workflows/runbook/targets-of.ts';
import { type Environment, environmentSchema } from './schema.ts';

/**
 * The environment where no file describes one: a laptop, a demo, a single small machine. Everything is allowed, on
 * this machine only. The ports and the proxy's places are the ones that `holdpoint init` writes down.
 */
export function embeddedEnvironment(runbook: Runbook, folder: string): Environment {
  const traffic = {
    caddy: { front: 'http://127.0.0.1:8080', log: `${folder}/traffic/access.log`, folder: `${folder}/traffic` },
  };
  const targets = targetsOf(runbook).map(({ name, strategy }) => [
    name,
    { ports: { blue: 4001, green: 4002 }, ...(strategy !== 'recreate' && { traffic }) },
  ]);
  return environmentSchema.parse({ targets: Object.fromEntries(targets) });
}

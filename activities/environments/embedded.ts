import type { Runbook } from '../../workflows/runbook/schema.ts';
import { targetsOf } from '../../workflows/runbook/targets-of.ts';
import { refuse } from '../failures.ts';
import { type Environment, environmentSchema } from './schema.ts';

/**
 * The environment where no file describes one: a laptop, a demo, a single small machine. Everything is allowed, on
 * this machine only. The ports and the proxy's places are the ones that `holdpoint init` writes down.
 */
export function embeddedEnvironment(runbook: Runbook, folder: string): Environment {
  const traffic = {
    caddy: { front: 'http://127.0.0.1:8080', log: `${folder}/traffic/access.log`, folder: `${folder}/traffic` },
  };
  const named = targetsOf(runbook);
  if (named.length > 1) {
    throw refuse(
      'TargetsNeedEnvironments',
      `${named.map(({ name }) => name).join(', ')} need a place each: say it in environments.yaml (holdpoint init writes one).`,
    );
  }
  const targets = named.map(({ name, strategy }) => [
    name,
    { ports: { blue: 4001, green: 4002 }, ...(strategy !== 'recreate' && { traffic }) },
  ]);
  return environmentSchema.parse({ targets: Object.fromEntries(targets) });
}

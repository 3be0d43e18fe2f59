import type { Runbook } from '../../workflows/runbook/schema.ts';
import type { Environment } from './schema.ts';

/**
 * The environment where no file describes one: a laptop, a demo, a single small machine. Everything is allowed, on
 * this machine only. The ports and the proxy's places are the ones that `holdpoint init` writes down.
 */
export function embeddedEnvironment(runbook: Runbook, folder: string): Environment {
  const traffic = {
    caddy: {
      front: 'http://127.0.0.1:8080',
      admin: 'http://127.0.0.1:2019',
      log: `${folder}/traffic/access.log`,
      folder: `${folder}/traffic`,
    },
  };
  const proxied = runbook.rollout.strategy !== 'recreate';
  return {
    targets: {
      [runbook.rollout.on]: {
        host: 'local',
        instances: 'process',
        ports: { blue: 4001, green: 4002 },
        ...(proxied && { traffic }),
      },
    },
    secrets: ['environment', { dotenv: '.env' }],
    approvers: {},
  } as Environment;
}

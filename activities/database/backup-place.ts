import { join } from 'node:path';
import { stateHome } from '../../configuration/state-home.ts';
import type { HostPort } from '../../workflows/ports.ts';
import { createLocalHost } from '../hosts/local.ts';
import type { Machine } from '../site.ts';

/**
 * Where a backup is made and kept: beside the target's markers where the target is this machine. Of other machines it is
 * this one, the worker's: its pg_dump, below $HOLDPOINT_HOME, away from what is deployed to.
 */
export function backupPlace({ target, host }: Machine, folder: string): { host: HostPort; folder: string } {
  if (target.host.kind === 'local') return { host, folder };
  return { host: createLocalHost(), folder: join(stateHome(), 'backups', target.service) };
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readClaim } from '../activities/commands/launch.ts';
import { endGroup } from '../activities/commands/process-group.ts';
import { createLocalHost } from '../activities/hosts/local.ts';
import { createProcessInstances } from '../activities/instances/process.ts';
import type { Places } from './places.ts';

const graceMs = 2_000;

/** Ends what outlives a worker on purpose: the shop's releases, and a migration that still runs. */
export async function endLeftovers({ target, slots: ports }: Places): Promise<void> {
  for (const job of jobsIn(join(target, 'jobs'))) {
    const claim = await readClaim(join(job, 'claim'));
    if (claim) await endGroup(claim, graceMs);
  }
  const instances = createProcessInstances({ folder: target, ports }, createLocalHost());
  for (const slot of Object.keys(ports)) {
    if (await instances.observe(slot)) await instances.ensureStopped(slot, graceMs);
  }
}

function jobsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

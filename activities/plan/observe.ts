import type { ArtifactPort } from '../../workflows/ports.ts';
import { migrationTool } from '../../workflows/runbook/headings.ts';
import type { MigrationState, Observed } from '../../workflows/runbook/observed.ts';
import type { Release, Target } from '../../workflows/runbook/plan.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { wasClaimed } from '../markers/fence.ts';
import { readRecord } from '../markers/record.ts';
import { accessOf } from '../migrations/access.ts';
import { findMigrationsTool } from '../migrations/index.ts';
import type { Site } from '../site.ts';

export interface ObserveInput {
  runbook: Runbook;
  target: Target;
  artifact: ArtifactPort;
  /** null: a rollback; nothing is looked up, nothing is to be migrated. */
  version: string | null;
  migrates: boolean;
}

/** Reads the target as it is now. Changes nothing. */
export async function observe(
  site: Site,
  { runbook, target, artifact, version, migrates }: ObserveInput,
): Promise<Observed> {
  const { host, instances, traffic } = site;
  const release = version === null ? null : await artifact.find(version);
  const slots: Observed['slots'] = {};
  for (const slot of Object.keys(target.ports)) slots[slot] = await instances.observe(slot);
  return {
    releases: await artifact.list(),
    release,
    slots,
    weights: traffic && (await traffic.observe()),
    record: await readRecord(host, target.folder),
    claimed: await wasClaimed(host, target.folder),
    migrations: migrates && release ? await observeMigrations(site, runbook, release) : null,
    trafficMissing: traffic ? await traffic.missing() : [],
    notices: [...(await instances.notices()), ...(traffic ? await traffic.notices() : [])],
  };
}

async function observeMigrations(
  { instances, secrets }: Site,
  runbook: Runbook,
  release: Release,
): Promise<MigrationState> {
  const tool = migrationTool(runbook, release);
  const { url, env } = await accessOf(tool, secrets);
  return findMigrationsTool(tool.kind).observe(instances.inside(release), tool, url, env);
}

import { Context } from '@temporalio/activity';
import type { ArtifactPort, HostPort } from '../../workflows/ports.ts';
import { migrationTool } from '../../workflows/runbook/headings.ts';
import type { MigrationState, Observed, ReleaseRecord } from '../../workflows/runbook/observed.ts';
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
  const record = await readRecord(host, target.folder);
  const slots: Observed['slots'] = {};
  for (const slot of Object.keys(target.ports)) slots[slot] = await instances.observe(slot);
  return {
    releases: await stillThere(host, record, await artifact.list()),
    release,
    slots,
    weights: traffic && (await traffic.observe()),
    record,
    claimed: await wasClaimed(host, target.folder),
    migrations: migrates && release ? await observeMigrations(site, runbook, artifact, release) : null,
    trafficMissing: traffic ? await traffic.missing() : [],
    notices: [...(await instances.notices()), ...(traffic ? await traffic.notices() : [])],
  };
}

/** Those that exist, and what was deployed here and is kept, although nothing lists it: a branch's checkout. */
async function stillThere(host: HostPort, record: ReleaseRecord | null, listed: string[]): Promise<string[]> {
  const known = record ? [record.confirmed.release, ...(record.previous ? [record.previous] : [])] : [];
  const kept: string[] = [];
  for (const { version, folder, image } of known) {
    if (listed.includes(version) || image !== undefined) continue;
    if ((await host.list(folder)).length > 0) kept.push(version);
  }
  return [...kept, ...listed];
}

/** Asks the release's own tool, so the release has to be there; nothing that serves changes by that. */
async function observeMigrations(
  { instances, secrets }: Site,
  runbook: Runbook,
  artifact: ArtifactPort,
  release: Release,
): Promise<MigrationState> {
  await artifact.fetch(release, Context.current().cancellationSignal);
  const tool = migrationTool(runbook, release);
  const { url, env } = await accessOf(tool, secrets);
  return findMigrationsTool(tool.kind).observe(instances.inside(release), tool, url, env);
}

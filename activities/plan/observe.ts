import { migrationTool } from '../../workflows/runbook/headings.ts';
import type { MigrationState, Observed } from '../../workflows/runbook/observed.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { readRecord } from '../markers/record.ts';
import { accessOf } from '../migrations/access.ts';
import { findMigrationsTool } from '../migrations/index.ts';
import type { Site } from '../site.ts';
import type { Releases } from './releases.ts';

/** Reads the target as it is now. Changes nothing. `version` null: nothing is to be migrated. */
export async function observe(
  site: Site,
  {
    runbook,
    target,
    releases,
    version,
  }: { runbook: Runbook; target: Target; releases: Releases; version: string | null },
): Promise<Observed> {
  const { host, instances, traffic } = site;
  const existing = await releases.list(host);
  const migrates = version !== null && existing.includes(version) && runbook.migrate !== undefined;
  return {
    releases: existing,
    slots: { blue: await instances.observe('blue'), green: await instances.observe('green') },
    weights: traffic && (await traffic.observe()),
    record: await readRecord(host, target.folder),
    migrations: migrates ? await observeMigrations(site, runbook, releases.folderOf(version)) : null,
    trafficMissing: traffic ? await traffic.missing() : [],
  };
}

async function observeMigrations({ host, secrets }: Site, runbook: Runbook, folder: string): Promise<MigrationState> {
  const tool = migrationTool({ runbook }, folder);
  const { url, env } = await accessOf(tool, secrets);
  return findMigrationsTool(tool.kind).observe(host, tool, url, env);
}

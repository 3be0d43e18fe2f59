import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processJobs } from '../../../activities/commands/jobs.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { MigrateDeps } from '../../../activities/migrations/migrate.ts';
import { findPart } from '../../../parts/index.ts';
import type { MigrationTool } from '../../../workflows/runbook/actions.ts';

/** A release of a service that brings its own dbmate. */
export interface ReleaseFolder {
  folder: string;
  /** Markers of the target. */
  markers: string;
  tool: MigrationTool;
  migration(name: string, up: string, down: string, options?: string): Promise<void>;
  remove(): Promise<void>;
}

export async function makeRelease(): Promise<ReleaseFolder> {
  const root = await mkdtemp(join(tmpdir(), 'holdpoint-release-'));
  const folder = join(root, 'release');
  const dbmate = join(folder, 'node_modules/.bin/dbmate');
  await mkdir(dirname(dbmate), { recursive: true });
  await symlink((await findPart('dbmate')).path, dbmate);
  const migrations = join(folder, 'db/migrations');
  await mkdir(migrations, { recursive: true });
  return {
    folder,
    markers: join(root, 'markers'),
    tool: { kind: 'dbmate', release: { version: '1', folder }, database: 'DATABASE_URL', secrets: [], commands: {} },
    migration: (name, up, down, options = '') =>
      writeFile(join(migrations, `${name}.sql`), `-- migrate:up ${options}\n${up}\n-- migrate:down\n${down}\n`),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** What a worker gives to migrating, with jobs of this machine. */
export function depsFor(markers: string, mask: (text: string) => string = (text) => text): MigrateDeps {
  return {
    host: createLocalHost(),
    jobs: processJobs(markers),
    mask,
  };
}

import { posix } from 'node:path';
import type { Inside, MigrationsPort } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';

/** A migration tool as `migrateUp` and `migrateDown` need it. */
export interface MigrationsTool extends MigrationsPort {
  /** Why this applied revision cannot be taken back from this release's folder; null where it can. */
  obstacle(host: Inside, tool: MigrationTool, revision: string): Promise<string | null>;
}

/** How long a migration waits for a table's lock. Meanwhile it holds up every query behind it, so it is short. */
const lockTimeout = '5s';

/**
 * What every tool's session gets. The timeout stands in the connection's start, where no `RESET` of a migration
 * undoes it. libpq, lib/pq, psycopg and node-postgres read both variables.
 */
export function sessionEnvironment(url: string, sessionName: string): Record<string, string> {
  return { DATABASE_URL: url, PGAPPNAME: sessionName, PGOPTIONS: `-c lock_timeout=${lockTimeout}` };
}

/** The whole environment of a tool's command. */
export function toolEnvironment(
  port: Pick<MigrationsPort, 'env'>,
  tool: MigrationTool,
  access: { url: string; env: Record<string, string>; sessionName: string },
): Record<string, string> {
  const { url, env, sessionName } = access;
  return { ...env, [tool.database]: url, ...port.env(url, sessionName), ...searchPath(tool, env) };
}

/** Where the tool's files are: the release's folder, or an image's own working folder. */
export function folderOf({ release }: MigrationTool): string {
  return release.image ? '.' : release.folder;
}

/** Where a release keeps the programs that it brings along. */
const ownPrograms = ['.venv/bin', 'node_modules/.bin'];

/** What the release brings along goes before the worker's own PATH. An image has one of its own. */
export function searchPath({ release }: MigrationTool, env: Record<string, string>): Record<string, string> {
  if (release.image) return {};
  const own = ownPrograms.map((folder) => posix.join(release.folder, folder));
  return { PATH: [...own, env.PATH ?? process.env.PATH ?? ''].join(':') };
}

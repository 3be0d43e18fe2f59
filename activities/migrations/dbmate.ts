/**
 * dbmate: migrations in `<release>/db/migrations/<version>_<name>.sql`, applied versions in `schema_migrations`.
 * A revision is called like its file, without `.sql`; one that has no file in this release, by its version.
 */
import { posix } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import type { Inside } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import { look } from '../database/postgres-session.ts';
import { refuse } from '../failures.ts';
import { folderOf, type MigrationsTool, searchPath, sessionEnvironment } from './tool.ts';

const folder = 'db/migrations';
const table = 'schema_migrations';

export const dbmate: MigrationsTool = {
  async observe(host, tool, url, env) {
    const versions = await appliedVersions(url);
    const names = await revisions(host, tool);
    const named = new Map(names.map((name) => [versionOf(name), name]));
    const pending = names.filter((name) => !versions.includes(versionOf(name)));
    if (pending.length > 0) await demandDbmate(host, tool, env);
    const ways = await Promise.all(pending.map((name) => hasWayDown(host, tool, name)));
    return {
      applied: versions.map((version) => named.get(version) ?? version).sort(),
      pending,
      reversible: ways.every(Boolean),
    };
  },
  // Not `up`: that would create a database that is missing.
  up: () => ['dbmate', 'migrate'],
  down: () => ['dbmate', 'rollback'],
  env: (url, sessionName) => ({
    ...sessionEnvironment(url, sessionName),
    // All said here, so that a `.env` in the release, which dbmate reads, changes none of it.
    DBMATE_MIGRATIONS_DIR: folder,
    DBMATE_MIGRATIONS_TABLE: table,
    DBMATE_NO_DUMP_SCHEMA: 'true',
    DBMATE_STRICT: 'false',
  }),
  async obstacle(host, tool, revision) {
    const path = posix.join(folderOf(tool), folder);
    // dbmate takes the newest that it has a file for back, which would be another one.
    if (!(await revisions(host, tool)).includes(revision)) return `it has no file in ${path}`;
    return (await hasWayDown(host, tool, revision))
      ? null
      : `its file in ${path} has nothing under \`-- migrate:down\``;
  },
};

/** Said while planning: after an approval would be too late. */
async function demandDbmate(host: Inside, tool: MigrationTool, env: Record<string, string>): Promise<void> {
  try {
    await host.exec(['dbmate', '--version'], { cwd: folderOf(tool), env: searchPath(tool, env) });
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'NoSuchCommand') throw error;
    if (tool.release.image) {
      throw refuse(
        'PartMissing',
        `dbmate is not in the image of ${tool.release.version}. Install it there: build anew.`,
      );
    }
    const where = `neither in ${posix.join(folderOf(tool), 'node_modules/.bin')} nor on the PATH of the worker`;
    throw refuse(
      'PartMissing',
      `dbmate is ${where}. Install it (npm install dbmate, or brew install dbmate), then plan again.`,
    );
  }
}

async function appliedVersions(url: string): Promise<string[]> {
  return look(url, async (session) => {
    const exists = await session.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
    if (!exists.rows[0]!.found) return [];
    const { rows } = await session.query<{ version: string }>(`SELECT version FROM ${table} ORDER BY version`);
    return rows.map(({ version }) => version);
  });
}

/** Names of all migrations of this release, in the order in which dbmate applies them. */
async function revisions(host: Inside, tool: MigrationTool): Promise<string[]> {
  const files = await host.list(posix.join(folderOf(tool), folder));
  const names = files.filter((file) => /^\d+.*\.sql$/.test(file)).map((file) => file.slice(0, -'.sql'.length));
  return names.sort();
}

function versionOf(name: string): string {
  return /^\d+/.exec(name)?.[0] ?? name;
}

async function hasWayDown(host: Inside, tool: MigrationTool, name: string): Promise<boolean> {
  const text = (await host.read(posix.join(folderOf(tool), folder, `${name}.sql`))) ?? '';
  const down = text.split(/^--[ \t]*migrate:down(?:[ \t\r].*)?$/m)[1] ?? '';
  return (
    down
      .replace(/--.*$/gm, '')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .trim() !== ''
  );
}

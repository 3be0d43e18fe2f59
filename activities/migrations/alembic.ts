/**
 * Alembic: `alembic.ini` (or `pyproject.toml`) in the release's folder, and the revision that the database is at in its
 * own table. The release brings it in `.venv`; elsewhere the machine's own is taken. A revision is called by its id.
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { Inside } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import type { MigrationState } from '../../workflows/runbook/observed.ts';
import { look } from '../database/postgres-session.ts';
import { databaseName, isPostgresUrl, whereIs } from '../database/postgres-url.ts';
import { refuse } from '../failures.ts';
import { lookScript } from './alembic-look.ts';
import { folderOf, type MigrationsTool, searchPath, sessionEnvironment, toolEnvironment } from './tool.ts';

export const alembic: MigrationsTool = {
  async observe(host, tool, url, env) {
    const access = toolEnvironment(alembic, tool, { url, env, sessionName: 'holdpoint-look' });
    // Whatever env.py does beside answering: the server lets it change nothing.
    const readOnly = { ...access, PGOPTIONS: `${access.PGOPTIONS} -c default_transaction_read_only=on` };
    return stateOf(await ask<Look>(host, tool, [], readOnly, url), tool, url);
  },
  up: () => ['alembic', 'upgrade', 'head'],
  down: () => ['alembic', 'downgrade', '-1'],
  env: sessionEnvironment,
  async obstacle(host, tool, revision) {
    const { found, down } = await ask<WayDown>(host, tool, [revision], searchPath(tool, {}));
    if (!found) return `it has no file in ${folderOf(tool)}`;
    return down ? null : 'its `downgrade` does nothing';
  },
};

interface Look {
  heads: string[];
  /** What the database's own table holds. */
  current: string[];
  applied: string[];
  pending: { id: string; parents: string[]; down: boolean }[];
}

interface WayDown {
  found: boolean;
  down: boolean;
}

/** @throws `MigrationsBranch`, `UnknownRevision` */
function stateOf({ heads, current, applied, pending }: Look, tool: MigrationTool, url: string): MigrationState {
  const { version } = tool.release;
  if (heads.length > 1) {
    throw refuse(
      'MigrationsBranch',
      `${version} has ${heads.length} newest revisions, ${heads.join(' and ')}, and nobody says which comes first. Merge ` +
        'them (alembic merge heads), commit that, and plan again.',
    );
  }
  const unknown = current.filter((revision) => !applied.includes(revision));
  if (unknown.length > 0) {
    const where = isPostgresUrl(url) ? `${databaseName(url)} at ${whereIs(url)}` : 'the database';
    throw refuse(
      'UnknownRevision',
      `${where} is at ${unknown.join(', ')}, for which ${version} has no file: a newer release has migrated it, or one of ` +
        'another branch. Add that file to the release, or go back to the release before with `holdpoint rollback`.',
    );
  }
  const isStep = (parents: string[], before: string[]) =>
    parents.length === before.length && parents.every((parent) => before.includes(parent));
  // `downgrade -1` leads back along a chain alone: behind a merge it would have two ways.
  const oneByOne = pending.every(({ parents }, at) => isStep(parents, at === 0 ? current : [pending[at - 1]!.id]));
  const reversible = oneByOne && pending.every(({ down }) => down);
  return { applied, pending: pending.map(({ id }) => id), reversible };
}

async function ask<Answer>(
  host: Inside,
  tool: MigrationTool,
  about: string[],
  env: Record<string, string>,
  url?: string,
): Promise<Answer> {
  const options = { cwd: folderOf(tool), env: { ...env, PYTHONDONTWRITEBYTECODE: '1' } };
  const { exitCode, stdout, stderr } = await host
    .exec(['python3', '-c', lookScript, ...about], options)
    .catch((error) => {
      throw error instanceof ApplicationFailure && error.type === 'NoSuchCommand' ? missing(tool) : error;
    });
  if (exitCode === 0) return JSON.parse(stdout);
  if (stderr.includes("No module named 'alembic'")) throw missing(tool);
  // A database that is down explains it, and is worth another try.
  if (url !== undefined && isPostgresUrl(url)) await look(url, (session) => session.query('SELECT 1'));
  const said = stderr.trim().split('\n').slice(-5).join('; ');
  throw refuse('MigrationToolFailed', `alembic cannot say in ${folderOf(tool)} what is applied: ${said}`);
}

/** Said while planning: after an approval would be too late. */
function missing({ release }: MigrationTool): Error {
  if (release.image) {
    return refuse('PartMissing', `alembic is not in the image of ${release.version}. Install it there: build anew.`);
  }
  return refuse(
    'PartMissing',
    `alembic is not in ${release.folder}/.venv, nor does python3 of that machine have it. Put it into requirements.txt, ` +
      'and let `prepare.artifact.build` install that; then plan again.',
  );
}

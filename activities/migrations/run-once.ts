import { CancelledFailure } from '@temporalio/activity';
import type { JobsPort } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import { endSessions, look } from '../database/postgres-session.ts';
import { isPostgresUrl, whereIs } from '../database/postgres-url.ts';
import { notYet, refuse } from '../failures.ts';
import type { MigrationsTool } from './tool.ts';
import { toolEnvironment } from './tool.ts';

/** Exit codes of SIGHUP, SIGINT, SIGKILL, SIGTERM: somebody else ended it, such as a machine that shut down. */
const killed = new Set([129, 130, 137, 143]);

export interface JobDeps {
  jobs: JobsPort;
  /** Takes secrets out of text. */
  mask(text: string): string;
}

export interface Ran {
  ms: number;
  /** An earlier attempt had started it. */
  attached: boolean;
}

export interface Run {
  port: MigrationsTool;
  tool: MigrationTool;
  url: string;
  env: Record<string, string>;
  /** Name of the tool's sessions at the database. */
  sessionName: string;
  /** Key of the job. */
  key: string;
  command: string[];
  signal: AbortSignal;
  /** Looks whether the database is where the command should bring it. */
  reached(): Promise<boolean>;
}

/**
 * Runs a migration command to its end, once: one that finished is never run again, one that still runs is waited
 * for. One whose process died is judged by the database, after the sessions it left there are gone.
 * @throws `MigrationFailed`, `MigrationIncomplete` (an index left invalid), `MigrationLost`;
 *   `MigrationBlocked` (another try helps) where it did not get a lock in time
 */
export async function runOnce(deps: JobDeps, run: Run): Promise<Ran> {
  const { port, tool, url, env, sessionName, key, command, signal, reached } = run;
  const started = Date.now();
  for (let reruns = 0; ; reruns++) {
    signal.throwIfAborted();
    const job = {
      key,
      release: tool.release,
      command,
      env: toolEnvironment(port, tool, { url, env, sessionName }),
      signal,
    };
    const { exitCode, output, attached, lost } = await deps.jobs.run(job).catch((error) => endCancelled(run, error));
    if (exitCode === 0) return { attached, ms: Date.now() - started };
    signal.throwIfAborted();
    // A client that ends or dies does not stop what the server does for it: that may go on, and even commit.
    if (isPostgresUrl(url)) await endSessions(url, sessionName);
    if (!lost && exitCode !== null && !killed.has(exitCode)) throw await failure(deps, run, exitCode, output);
    if (!isPostgresUrl(url)) throw unknown(run);
    // The order matters: a retry after dying here finds the lost job again, until the database has been looked at.
    const isThere = await reached();
    await refuseInvalidIndexes(url);
    await deps.jobs.forget(key);
    if (isThere) return { attached, ms: Date.now() - started };
    if (reruns === 1)
      throw notYet('MigrationLost', `${command.join(' ')} was killed twice before it ended. ${last(deps, output)}`);
  }
}

/** A cancelled step's command is ended, and so is its session. A worker that shuts down leaves both to the retry. */
async function endCancelled({ signal, url, sessionName }: Run, error: unknown): Promise<never> {
  const { reason } = signal;
  const goesOn = reason instanceof CancelledFailure && reason.message !== 'CANCELLED';
  if (signal.aborted && !goesOn && isPostgresUrl(url)) await endSessions(url, sessionName).catch(() => {});
  throw error;
}

function unknown({ command }: Run): Error {
  return refuse(
    'MigrationLost',
    `${command.join(' ')} did not end by itself, and only a PostgreSQL database can be asked whether it still works ` +
      'on it. Look at the database, then retry or roll back.',
  );
}

async function failure(deps: JobDeps, run: Run, exitCode: number, output: string): Promise<Error> {
  const { command, key, url } = run;
  if (isPostgresUrl(url) && /lock timeout|55P03/.test(output)) {
    await refuseInvalidIndexes(url);
    await deps.jobs.forget(key);
    const held = `Something holds a lock that it needs at ${whereIs(url)}; look at pg_stat_activity.`;
    return notYet('MigrationBlocked', `${command.join(' ')} gave up waiting. ${held} ${last(deps, output)}`);
  }
  return refuse('MigrationFailed', `${command.join(' ')} ended with ${exitCode}. ${last(deps, output)}`);
}

/** `CREATE INDEX CONCURRENTLY IF NOT EXISTS`, run again after an interruption, keeps an index that is not one. */
async function refuseInvalidIndexes(url: string): Promise<void> {
  const names = await look(url, async (session) => {
    const { rows } = await session.query<{ name: string }>(
      `SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
       WHERE NOT indisvalid AND relkind = 'i' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  });
  if (names.length === 0) return;
  throw refuse(
    'MigrationIncomplete',
    `The migration was interrupted and left an index that is not valid: ${names.join(', ')} at ${whereIs(url)}. ` +
      'Drop it (DROP INDEX CONCURRENTLY), then retry.',
  );
}

/** The last lines of what the tool printed, without secrets. */
function last(deps: JobDeps, output: string): string {
  const lines = deps.mask(output).trim().split('\n').slice(-10).join('\n');
  return lines ? `Its last lines:\n${lines}` : 'It printed nothing.';
}

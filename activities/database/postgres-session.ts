import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import pg from 'pg';
import { notYet, refuse } from '../failures.ts';
import { clientConfig, whereIs } from './postgres-url.ts';

/** Name of short sessions that only look: never counted as a deploy's work, never ended. */
const looking = 'holdpoint-look';

const gone = /^(08...|53...|57P..|ECONN.*|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)$/;
const denied = /^(28...|3D...|42501|0A...)$/;

/**
 * A driver's error as the failure that a step ends with: `DatabaseUnreachable` and `DatabaseBusy` are worth
 * another try, `DatabaseRefused` is not. Failures that already are one are passed on.
 */
export function databaseFailure(error: unknown, url: string): Error {
  if (error instanceof ApplicationFailure) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const server = `PostgreSQL at ${whereIs(url)}`;
  if (gone.test(code) || /timeout expired|terminated|not queryable|socket/i.test(message)) {
    return notYet('DatabaseUnreachable', `${server} does not answer (${code || message}).`);
  }
  if (denied.test(code)) {
    const hint = /no encryption/.test(message) ? ' Add sslmode=require to the URL.' : '';
    return refuse('DatabaseRefused', `${server} refused (${code}): ${message}.${hint}`);
  }
  return notYet('DatabaseFailed', `${server} failed (${code || 'no code'}): ${message}.`);
}

/**
 * Runs `work` with one session, which ends with it. Settings go into the connection's start, so no
 * `RESET` undoes them.
 * @throws see {@link databaseFailure}
 */
export async function withSession<T>(
  url: string,
  name: string,
  settings: Record<string, string>,
  work: (session: pg.Client) => Promise<T>,
): Promise<T> {
  const session = new pg.Client(clientConfig(url, name, settings));
  // A lost connection also fails the query in flight; without a listener it would end the process.
  session.on('error', () => {});
  try {
    await session.connect();
    return await work(session);
  } catch (error) {
    throw databaseFailure(error, url);
  } finally {
    await session.end().catch(() => {});
  }
}

/** A short look: a few queries that must not wait for anything. */
export function look<T>(url: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  return withSession(url, looking, { statement_timeout: '15s', lock_timeout: '5s' }, work);
}

/**
 * Ends every session on the server whose name starts with `prefix` (cancelled, then terminated), and
 * returns how many there were once all are gone: killing a client does not stop what the server does for it.
 * @throws `DatabaseBusy` where one does not go within 30 s
 */
export function endSessions(url: string, prefix: string, except = '-'): Promise<number> {
  return look(url, async (session) => {
    const mine = `FROM pg_stat_activity WHERE starts_with(application_name, $1) AND NOT starts_with(application_name, $2)
      AND pid <> pg_backend_pid()`;
    const acting = { cancel: `SELECT pg_cancel_backend(pid) ${mine}`, end: `SELECT pg_terminate_backend(pid) ${mine}` };
    const found = (await session.query(acting.cancel, [prefix, except])).rowCount ?? 0;
    for (let tries = 0; tries < 300; tries++) {
      const left = (await session.query(acting.end, [prefix, except])).rowCount;
      if (!left) return found;
      await sleep(100);
    }
    throw notYet('DatabaseBusy', `Sessions named ${prefix} at ${whereIs(url)} do not end; look at pg_stat_activity.`);
  });
}

/** Names of the sessions on this database (not the whole server) that start with `prefix`. */
export function sessionsOn(url: string, prefix: string): Promise<string[]> {
  return look(url, async (session) => {
    const { rows } = await session.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
       WHERE starts_with(application_name, $1) AND datname = current_database() ORDER BY 1`,
      [prefix],
    );
    return rows.map(({ name }) => name);
  });
}

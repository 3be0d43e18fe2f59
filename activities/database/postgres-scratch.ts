import pg from 'pg';
import { notYet, refuse } from '../failures.ts';
import { withSession } from './postgres-session.ts';
import { whereIs, withDatabase } from './postgres-url.ts';

/** What a database's text depends on: a restored copy has to have the same. */
export interface DatabaseLocale {
  encoding: string;
  collate: string;
  ctype: string;
  /** SQL options for another provider than libc; empty for libc. */
  provider: string;
}

export interface Scratch {
  server: string;
  /** What the names of the scratch databases of all attempts start with. */
  prefix: string;
  /** This attempt's own, so that no overlapping attempt restores into it. */
  name: string;
  /** Name of the session whose life means that this attempt is the latest. */
  lease: string;
  locale: DatabaseLocale;
}

/**
 * Runs `work` with the URL of an empty scratch database, and drops it in every case; those that killed attempts have
 * left are dropped first.
 * @throws `ScratchRefused` where it cannot be created; `BackupInterrupted` where a later attempt took over
 */
export function withScratch<T>(scratch: Scratch, work: (url: string) => Promise<T>): Promise<T> {
  const { server, prefix, name, lease } = scratch;
  return withSession(server, lease, { statement_timeout: '0' }, async (session) => {
    await dropAll(session, prefix);
    await create(session, scratch);
    let result: T;
    try {
      result = await work(withDatabase(server, name));
    } catch (error) {
      const mine = await dropAll(session, name).then(
        () => true,
        () => false,
      );
      // Without its session, whatever failed says nothing about the backup: the scratch database may be gone.
      if (mine) throw error;
      throw notYet('BackupInterrupted', `The session at ${whereIs(server)} that held the scratch database was ended.`);
    }
    await dropAll(session, name);
    return result;
  });
}

async function dropAll(session: pg.Client, prefix: string): Promise<void> {
  const sql = 'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)';
  const { rows } = await session.query<{ name: string }>(sql, [prefix]);
  for (const { name } of rows) {
    await session.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  }
}

async function create(session: pg.Client, { name, locale, server }: Scratch): Promise<void> {
  const { encoding, collate, ctype, provider } = locale;
  const [e, c, t] = [encoding, collate, ctype].map((value) => pg.escapeLiteral(value));
  const options = `TEMPLATE template0 ENCODING ${e} LC_COLLATE ${c} LC_CTYPE ${t} ${provider}`;
  try {
    await session.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${options}`);
  } catch (error) {
    const { code = '', message } = error as pg.DatabaseError;
    if (!/^(42501|22023|42809|42704|0A000)$/.test(code)) throw error;
    throw refuse(
      'ScratchRefused',
      `The scratch database for verifying the backup cannot be created at ${whereIs(server)}: ${message}. ` +
        'Allow it (ALTER ROLE … CREATEDB), or name another server of the same version under `scratch`.',
    );
  }
}

/** The locale of the database that the session is connected to. */
export async function localeOf(session: pg.Client): Promise<DatabaseLocale> {
  const { rows } = await session.query<{ row: Record<string, string | null>; encoding: string }>(
    `SELECT to_jsonb(d) AS row, pg_encoding_to_char(encoding) AS encoding FROM pg_database d
     WHERE datname = current_database()`,
  );
  const { row, encoding } = rows[0]!;
  const other = row.datlocale ?? row.daticulocale; // renamed in PostgreSQL 17
  const literal = other ? pg.escapeLiteral(other) : '';
  const provider =
    { i: `LOCALE_PROVIDER icu ICU_LOCALE ${literal}`, b: `LOCALE_PROVIDER builtin BUILTIN_LOCALE ${literal}` }[
      row.datlocprovider ?? 'c'
    ] ?? (row.datlocprovider ? 'LOCALE_PROVIDER libc' : '');
  return { encoding, collate: row.datcollate!, ctype: row.datctype!, provider };
}

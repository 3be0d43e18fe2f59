import pg from 'pg';

/** Everything one table holds, in two numbers: independent of the order of its rows. */
export interface TableContents {
  /** `schema.table`, quoted as SQL needs it. */
  name: string;
  rows: number;
  /** Sum of the hashes of all rows as text; a decimal number. */
  hash: string;
}

export interface Sequence {
  name: string;
  /** null where it was never used, or may not be read. */
  value: string | null;
  ascending: boolean;
}

export interface DatabaseContents {
  tables: TableContents[];
  sequences: Sequence[];
}

/** The text of a value depends on these: a session that reads contents has to have all of them. */
export const comparable: Record<string, string> = {
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  search_path: '',
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '30s',
  idle_in_transaction_session_timeout: '0',
};

/** What pg_dump takes along: not the system's own, nor what an extension brings with it. */
const dumped = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't' AND NOT EXISTS
  (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/**
 * Reads the tables as the session's transaction sees them, and the sequences as they are now. Reads every row;
 * changes nothing. Sequences come first: no snapshot holds them, and they must not be newer than a later dump.
 */
export async function readContents(session: pg.Client): Promise<DatabaseContents> {
  const sequences = await readSequences(session);
  const names = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND ${dumped} ORDER BY 1, 2`,
  );
  const tables: TableContents[] = [];
  for (const { schema, name } of names.rows) {
    const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    // `.*` and not the bare alias: a column might have the alias's name.
    tables.push(await measure(session, plainName(schema, name), '(r.*)::text', `ONLY ${table} AS r`));
  }
  const object = `oid::text || encode(sha256(lo_get(oid)), 'hex')`;
  const large = await measure(session, 'large objects', object, 'pg_largeobject_metadata');
  return { tables: large.rows > 0 ? [...tables, large] : tables, sequences };
}

function plainName(schema: string, name: string): string {
  const quote = (part: string) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : pg.escapeIdentifier(part));
  return `${quote(schema)}.${quote(name)}`;
}

/** `text`: SQL for one row of `from` as text. */
async function measure(session: pg.Client, name: string, text: string, from: string): Promise<TableContents> {
  const { rows } = await session.query<{ rows: string; hash: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended(${text}, 0)), 0)::text AS hash FROM ${from}`,
  );
  return { name, rows: Number(rows[0]!.rows), hash: rows[0]!.hash };
}

/** All that only grow or only shrink; those that start over cannot be compared. */
async function readSequences(session: pg.Client): Promise<Sequence[]> {
  const { rows } = await session.query<Sequence>(
    `SELECT format('%I.%I', s.schemaname, s.sequencename) AS name, s.last_value::text AS value,
       s.increment_by > 0 AS ascending
     FROM pg_sequences s JOIN pg_namespace n ON n.nspname = s.schemaname
       JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
     WHERE NOT s.cycle AND ${dumped} ORDER BY 1`,
  );
  return rows;
}

/** In sentences, what of `source` the restored database does not have as it was; empty where all is there. */
export function differences(source: DatabaseContents, restored: DatabaseContents): string[] {
  const found: string[] = [];
  const there = new Map(restored.tables.map((table) => [table.name, table]));
  for (const { name, rows, hash } of source.tables) {
    const table = there.get(name);
    if (!table) found.push(`${name} is missing`);
    else if (table.rows !== rows) found.push(`${name} has ${table.rows} rows instead of ${rows}`);
    else if (table.hash !== hash) found.push(`${name} has the same ${rows} rows with other contents`);
    there.delete(name);
  }
  for (const name of there.keys()) found.push(`${name} is not in the source`);
  const reached = new Map(restored.sequences.map((sequence) => [sequence.name, sequence.value]));
  for (const { name, value, ascending } of source.sequences) {
    const after = reached.get(name) ?? null;
    if (value === null || hasReached(after, value, ascending)) continue;
    found.push(`sequence ${name} stands at ${after ?? 'nothing'} instead of ${value}`);
  }
  return found;
}

function hasReached(after: string | null, value: string, ascending: boolean): boolean {
  if (after === null) return false;
  return ascending ? BigInt(after) >= BigInt(value) : BigInt(after) <= BigInt(value);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findPart } from '../../parts/index.ts';
import { startCluster } from '../../parts/postgres-cluster.ts';

export interface Cluster {
  /** URL of its database `postgres`, as a superuser with a password. */
  url: string;
  /** Folder with its binaries. */
  bin: string;
  stop(): Promise<void>;
}

/** A private, empty PostgreSQL on a free port of this machine. About 1 s. */
export async function startPostgres(): Promise<Cluster> {
  const { path: bin } = await findPart('postgres');
  const folder = await mkdtemp(join(tmpdir(), 'holdpoint-postgres-'));
  const { url, stop, folder: home } = await startCluster({ folder, bin });
  const remove = () => Promise.all([folder, home].map((path) => rm(path, { recursive: true, force: true })));
  return { url, bin, stop: () => stop().then(async () => void (await remove())) };
}

/** Creates an empty database and returns its URL. */
export async function createDatabase(cluster: Cluster, name: string): Promise<string> {
  await query(cluster.url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const url = new URL(cluster.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs SQL (one or more statements) in its own session; the rows of the last statement. */
export async function query(url: string, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql, values);
    return Array.isArray(result) ? result.at(-1)!.rows : result.rows;
  } finally {
    await client.end();
  }
}

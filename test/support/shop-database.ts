import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { query } from './postgres.ts';

/** A database of the shared cluster with some orders in it, and its migrations' history at `1_orders`. */
export interface ShopDatabase {
  url: string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Names of all databases of the cluster that verifying a backup may have left. */
  scratches(): Promise<string[]>;
  drop(): Promise<void>;
}

export async function openShopDatabase(): Promise<ShopDatabase> {
  const cluster = inject('postgresUrl');
  const name = `shop_${randomUUID().slice(0, 8)}`;
  await query(cluster, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  url.searchParams.set('sslmode', 'disable');
  await query(
    url.href,
    `CREATE TABLE orders (id serial PRIMARY KEY, sku text NOT NULL);
     INSERT INTO orders (sku) SELECT 'sku-' || n FROM generate_series(1, 1000) n;
     CREATE SEQUENCE migration_runs;
     CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
     INSERT INTO schema_migrations VALUES ('1')`,
  );
  return {
    url: url.href,
    query: (sql) => query(url.href, sql),
    async scratches() {
      const rows = await query(cluster, `SELECT datname FROM pg_database WHERE datname LIKE 'holdpoint_scratch_%'`);
      return rows.map(({ datname }) => String(datname));
    },
    drop: async () => void (await query(cluster, `DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`)),
  };
}

/** Migrations of the releases. The second counts its runs (a sequence is not rolled back) and takes a while. */
export const migrations = {
  '1_orders.sql': '-- migrate:up\nCREATE TABLE orders (id serial PRIMARY KEY);\n-- migrate:down\nDROP TABLE orders;\n',
  '2_note.sql':
    "-- migrate:up\nSELECT nextval('migration_runs'); SELECT pg_sleep(3); ALTER TABLE orders ADD COLUMN note text;\n" +
    '-- migrate:down\nALTER TABLE orders DROP COLUMN note;\n',
};

/** Headings of a runbook that backs this database up and migrates it. */
export const withDatabase = {
  prepare: { artifact: { folder: 'releases/{version}' }, secrets: ['DATABASE_URL'] },
  backup: [{ postgres: 'DATABASE_URL' }],
  migrate: { tool: 'dbmate' },
};

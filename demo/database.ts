import pg from 'pg';

/** How often release 2's slow migration was begun: a sequence counts it, which no rollback turns back. */
export async function migrationRuns(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('gift_migration_runs') IS NOT NULL AS there`,
  );
  if (!rows[0]!.there) return 0;
  const counted = await client.query<{ runs: number }>(
    'SELECT CASE WHEN is_called THEN last_value::int ELSE 0 END AS runs FROM gift_migration_runs',
  );
  return counted.rows[0]!.runs;
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // It is ended with the server at the latest.
  client.on('error', () => {});
  await client.connect();
  return client;
}

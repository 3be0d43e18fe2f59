import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import type { Secrets } from '../secrets/index.ts';

/** The database's URL and the tool's other secrets by name. Throws `SecretMissing`. */
export async function accessOf(
  { database, secrets: others }: MigrationTool,
  secrets: Secrets,
): Promise<{ url: string; env: Record<string, string> }> {
  const { [database]: url, ...env } = await secrets.resolve([database, ...others]);
  return { url: url!, env };
}

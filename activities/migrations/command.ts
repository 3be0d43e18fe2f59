/**
 * A migration tool of the user's own. `current` prints every applied revision, oldest first, one a line, and
 * `pending` those that `up` would apply; `down` takes the newest applied one back.
 */

import type { Inside } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import { look } from '../database/postgres-session.ts';
import { isPostgresUrl } from '../database/postgres-url.ts';
import { refuse } from '../failures.ts';
import { folderOf, type MigrationsTool, sessionEnvironment, toolEnvironment } from './tool.ts';

export const command: MigrationsTool = {
  async observe(host, tool, url, env) {
    const access = { url, env: toolEnvironment(command, tool, { url, env, sessionName: 'holdpoint-look' }) };
    // In this order: a revision applied in between is in both, and counts as applied.
    const pending = await list(host, tool, 'pending', access);
    const applied = await list(host, tool, 'current', access);
    const missing = pending.filter((revision) => !applied.includes(revision));
    return { applied, pending: missing, reversible: tool.commands.down !== undefined };
  },
  up: (tool) => argv(tool, 'up'),
  down: (tool) => tool.commands.down ?? null,
  env: sessionEnvironment,
  obstacle: async () => null,
};

interface Access {
  url: string;
  env: Record<string, string>;
}

async function list(host: Inside, tool: MigrationTool, verb: 'current' | 'pending', access: Access) {
  const words = argv(tool, verb);
  const { exitCode, stdout, stderr } = await host.exec(words, { cwd: folderOf(tool), env: access.env });
  if (exitCode === 0) return stdout.split('\n').flatMap((line) => line.trim() || []);
  // A database that is down explains it, and is worth another try.
  if (isPostgresUrl(access.url)) await look(access.url, (session) => session.query('SELECT 1'));
  const said = stderr.trim().split('\n').slice(-5).join('; ');
  throw refuse(
    'MigrationToolFailed',
    `\`${verb}\` of the migration tool (${words.join(' ')}) ended with ${exitCode} in ${folderOf(tool)}: ${said}`,
  );
}

function argv(tool: MigrationTool, verb: 'current' | 'pending' | 'up'): string[] {
  const words = tool.commands[verb];
  if (words) return words;
  throw refuse('MigrationToolFailed', `The runbook's migration command has no \`${verb}\`. Add it under \`migrate\`.`);
}

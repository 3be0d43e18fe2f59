import type { Findings } from './look.ts';
import { backup, head, migrate, tail } from './runbook-parts.ts';
import { flowList } from './yaml.ts';

/** A commented runbook for what was found. Pure; always valid. */
export function runbookText(found: Findings): string {
  const secrets = [...new Set([...found.secrets, ...(found.migrations === 'dbmate' ? ['DATABASE_URL'] : [])])];
  return `${head(found.service)}
prepare:
  # ${releasesComment(found.releases)}
  artifact: { folder: "releases/{version}" }
  # Names only. The values come from where environments.yaml says (without one: the environment, then .env).
  secrets: ${flowList(secrets)}

${backup(found)}
${migrate(found)}
rollout:
  # ${found.start ? `From ${found.start.from}.` : 'TODO: how does one instance start?'} One word an item, no shell; {port} is the instance's port.
  start: ${flowList(found.start?.command ?? ['bin/serve', '--port', '{port}'])}
${portEnv(found)}  # Asked until it answers below 400, before the new version gets any traffic.
  ready: GET ${found.health ?? '/'}
  # blue-green: the new version beside the old one, then the traffic. recreate: stop, then start; needs no proxy.
  strategy: blue-green
  drain: 30s

${tail({ path: found.health ?? '/', oldIsAlive: true })}`;
}

function releasesComment(releases: string[] | null): string {
  const where = 'Where a release is; --version fills in {version}.';
  if (releases === null) return `${where} There is no releases/ yet: make one folder a version.`;
  return releases.length > 0
    ? `${where} Found: ${releases.slice(-5).join(', ')}`
    : `${where} releases/ is still empty.`;
}

function portEnv({ start }: Findings): string {
  return start && !start.command.some((word) => word.includes('{port}')) ? '  env: { PORT: "{port}" }\n' : '';
}

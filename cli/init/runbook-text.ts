import type { Findings } from './look.ts';
import { flowList } from './yaml.ts';

/** A commented runbook for what was found. Pure; always valid. */
export function runbookText(found: Findings): string {
  const secrets = [...new Set([...found.secrets, ...(found.migrations === 'dbmate' ? ['DATABASE_URL'] : [])])];
  return `# How ${found.service} is deployed: the checklist, top to bottom. Check it with: holdpoint doctor
# Every heading also takes lines of your own, \`before\` and \`after\` what it does:
#   - run: [bin/warm-cache]
#     undo: [bin/cool-cache]
#   - hold: { ask: Is the load balancer ready? }
service: ${found.service}

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

verify:
  # Real requests: to the new version before it gets traffic, then through the front door.
  smoke:
    - GET ${found.health ?? '/'}
    # - { post: /orders, json: { sku: test }, expect: 201 }
  # The proxy's own measured traffic decides; too little data asks a person.
  # watch: { for: 5m, errors: < 1%, p95: < 300ms }
  # The old version stays alive until somebody confirms.
  hold: { ask: Confirm and stop the old version? }

rollback:
  # true: a failed step goes back by itself. false: it waits for retry, skip or rollback.
  automatic: true
`;
}

function releasesComment(releases: string[] | null): string {
  const where = 'Where a release is; --version fills in {version}.';
  if (releases === null) return `${where} There is no releases/ yet: make one folder a version.`;
  return releases.length > 0
    ? `${where} Found: ${releases.slice(-5).join(', ')}`
    : `${where} releases/ is still empty.`;
}

function backup({ migrations }: Findings): string {
  const lines =
    'backup:\n  # Dumped, restored into a scratch database, and compared: only then it counts as a backup.\n  - postgres: DATABASE_URL\n';
  return migrations === 'dbmate' ? lines : commented(lines);
}

function migrate({ migrations }: Findings): string {
  if (migrations === 'dbmate') {
    return 'migrate:\n  # db/migrations of the new release, applied once, after somebody has looked at them.\n  tool: dbmate\n  hold: { ask: Apply these migrations? }\n';
  }
  const tool =
    migrations === 'alembic' ? ' # alembic.ini is here; `current` and `pending` have to print one revision a line' : '';
  return commented(
    `migrate:\n  command:${tool}\n    current: [bin/migrate, current]\n    pending: [bin/migrate, pending]\n    up: [bin/migrate, up]\n    down: [bin/migrate, down]\n  hold: { ask: Apply these migrations? }\n`,
  );
}

function portEnv({ start }: Findings): string {
  return start && !start.command.some((word) => word.includes('{port}')) ? '  env: { PORT: "{port}" }\n' : '';
}

function commented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '# ');
}

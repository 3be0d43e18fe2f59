/** What every runbook that `holdpoint init` writes has in common. Pure. */
import type { Findings } from './look.ts';

export function head(service: string): string {
  return `# How ${service} is deployed: the checklist, top to bottom. Check it with: holdpoint doctor
# Every heading also takes lines of your own, \`before\` and \`after\` what it does:
#   - run: [bin/warm-cache]
#     undo: [bin/cool-cache]
#   - hold: { ask: Is the load balancer ready? }
service: ${service}
`;
}

export function backup({ migrations }: Pick<Findings, 'migrations'>): string {
  const lines =
    'backup:\n  # Dumped, restored into a scratch database, and compared: only then it counts as a backup.\n  - postgres: DATABASE_URL\n';
  return migrations === 'dbmate' ? lines : commented(lines);
}

export function migrate({ migrations }: Pick<Findings, 'migrations'>): string {
  if (migrations === 'dbmate') {
    return 'migrate:\n  # db/migrations of the new release, applied once, after somebody has looked at them.\n  tool: dbmate\n  hold: { ask: Apply these migrations? }\n';
  }
  const tool =
    migrations === 'alembic' ? ' # alembic.ini is here; `current` and `pending` have to print one revision a line' : '';
  return commented(
    `migrate:\n  command:${tool}\n    current: [bin/migrate, current]\n    pending: [bin/migrate, pending]\n    up: [bin/migrate, up]\n    down: [bin/migrate, down]\n  hold: { ask: Apply these migrations? }\n`,
  );
}

/** `path`: one that the service is known to answer. `oldIsAlive`: the strategy keeps the old version until the end. */
export function tail({ path, oldIsAlive }: { path: string | null; oldIsAlive: boolean }): string {
  const smoke =
    path === null
      ? '  # smoke: [GET /, { post: /orders, json: { sku: test }, expect: 201 }]'
      : `  smoke:\n    - GET ${path}\n    # - { post: /orders, json: { sku: test }, expect: 201 }`;
  return `verify:
  # Real requests: to the new version before it gets traffic, then through the front door.
${smoke}
${
  oldIsAlive
    ? `  # The proxy's own measured traffic decides; too little data asks a person.
  # watch: { for: 5m, errors: < 1%, p95: < 300ms }
  # The old version stays alive until somebody confirms.
  hold: { ask: Confirm and stop the old version? }
`
    : `  # Until somebody confirms, a rejection starts the old version again.
  hold: { ask: Confirm the new version? }
`
}
rollback:
  # true: a failed step goes back by itself. false: it waits for retry, skip or rollback.
  automatic: true
`;
}

function commented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '# ');
}

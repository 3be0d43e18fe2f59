import type { DocumentKind } from '../../configuration/check-document.ts';
import { runbookSchema } from '../../workflows/runbook/schema.ts';

/** The runbook as a file that people write. */
export const runbookDocument: DocumentKind<typeof runbookSchema> = {
  name: 'the runbook',
  schema: runbookSchema,
  exampleAt,
  empty: {
    expected: 'service, prepare and rollout at least',
    hint: '`holdpoint init --force` writes one to start from',
  },
};

/** What to write, by path with `*` for list items and free names. */
const examples: Record<string, string> = {
  service: 'service: shop',
  prepare: 'prepare: { artifact: { folder: "releases/{version}" } }',
  'prepare.artifact': 'artifact: { folder: "releases/{version}" }',
  'prepare.artifact.folder': 'folder: releases/{version}',
  'prepare.secrets': 'secrets: [DATABASE_URL]',
  'prepare.secrets.*': 'secrets: [DATABASE_URL]',
  backup: 'backup: [{ postgres: DATABASE_URL }]',
  'backup.*': '- postgres: DATABASE_URL',
  'backup.*.postgres': 'postgres: DATABASE_URL',
  'backup.*.scratch': 'scratch: SCRATCH_DATABASE_URL',
  migrate: 'migrate: { tool: dbmate }',
  'migrate.command':
    'command: { current: [bin/migrate, current], pending: [bin/migrate, pending], up: [bin/migrate, up] }',
  'migrate.command.current': 'current: [bin/migrate, current]',
  'migrate.command.pending': 'pending: [bin/migrate, pending]',
  'migrate.command.up': 'up: [bin/migrate, up]',
  'migrate.command.down': 'down: [bin/migrate, down]',
  'migrate.hold': 'hold: { ask: "Apply these migrations?" }',
  'migrate.hold.ask': 'ask: Apply these migrations?',
  rollout: 'rollout: { start: [node, server.js, --port, "{port}"] }',
  'rollout.start': 'start: [node, server.js, --port, "{port}"]',
  'rollout.start.*': 'start: [node, server.js, --port, "{port}"]',
  'rollout.env': 'env: { PORT: "{port}" }',
  'rollout.env.*': 'env: { PORT: "{port}" }',
  'rollout.ready': 'ready: GET /healthz',
  verify: 'verify: { smoke: [GET /healthz] }',
  'verify.smoke': 'smoke: [GET /healthz]',
  'verify.smoke.*': 'smoke: [GET /healthz]',
  'verify.watch': 'watch: { for: 5m, errors: < 1% }',
  'verify.watch.for': 'for: 5m',
  'verify.watch.errors': 'errors: < 1%',
  'verify.watch.p95': 'p95: < 300ms',
  'verify.hold': 'hold: { ask: "Confirm and stop the old version?" }',
  'verify.hold.ask': 'ask: Confirm and stop the old version?',
  rollback: 'rollback: { automatic: true }',
  'rollback.automatic': 'automatic: true',
};

function exampleAt(path: readonly PropertyKey[]): string | null {
  const parts = path.map((part) => (typeof part === 'number' ? '*' : String(part)));
  const starred = [...parts.slice(0, -1), '*'].join('.');
  return examples[parts.join('.')] ?? examples[starred] ?? lineExample(parts) ?? null;
}

/** Lines of one's own stand under every heading, with the same keys. */
function lineExample(parts: string[]): string | null {
  const key = parts.at(-1) === '*' ? parts.at(-2) : parts.at(-1);
  switch (key) {
    case 'before':
    case 'after':
      return `${key}: [{ run: [bin/warm-cache] }]`;
    case 'run':
      return 'run: [bin/warm-cache]';
    case 'undo':
      return 'undo: [bin/cool-cache]';
    case 'wait':
      return 'wait: 30s';
    case 'ask':
      return 'ask: Is the load balancer ready?';
    case 'hold':
      return 'hold: { ask: "Is the load balancer ready?" }';
    case 'http':
      return 'http: { post: /warm, expect: 204 }';
    default:
      return null;
  }
}

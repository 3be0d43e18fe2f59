import { type Runbook, runbookSchema } from '../../workflows/runbook/schema.ts';

/** A small runbook for tests; headings given replace the default ones. */
export function aRunbook(headings: Record<string, unknown> = {}): Runbook {
  return runbookSchema.parse({
    service: 'shop',
    prepare: { artifact: { folder: 'releases/{version}' } },
    rollout: { start: ['node', 'server.js', '--port', '{port}'], ready: 'GET /healthz' },
    ...headings,
  });
}

import type { Side } from '../../workflows/runbook/actions.ts';
import type { Check, Finding } from '../../workflows/runbook/checks.ts';
import { judgeQuery } from '../../workflows/runbook/verdict-query.ts';
import { refuse } from '../failures.ts';
import type { MetricsPort } from '../metrics/index.ts';
import type { Window } from './sources.ts';

type QueryCheck = Extract<Check, { kind: 'query' }>;

/**
 * Asks the query for each side at the window's end; its source is the query as it was asked for the candidate. Throws
 * `NoMetrics`, and what the port throws, with the query's name.
 */
export async function judgeByQuery(check: QueryCheck, metrics: MetricsPort | null, window: Window): Promise<Finding> {
  if (!metrics) {
    throw refuse(
      'NoMetrics',
      `nobody can be asked for ${check.name}: give the target its \`metrics\` in the environments file`,
    );
  }
  const { candidate, stable } = window;
  const query = fillQuery(check.query, candidate, window);
  const compared = stable !== null && check.worseBy !== undefined;
  const [mine, theirs] = await Promise.all([
    metrics.ask(query, window.to),
    compared ? metrics.ask(fillQuery(check.query, stable, window), window.to) : null,
  ]);
  return judgeQuery(check, mine, theirs, query);
}

/**
 * `{version}`, `{slot}` (of several slots `web-1|web-2`, for `=~`) and `{window}` (the time watched so far: `90s`) of a
 * query. Everything else in braces is PromQL's own.
 */
function fillQuery(query: string, side: Side, { from, to }: Pick<Window, 'from' | 'to'>): string {
  const values: Record<string, string> = {
    version: quoted(side.version),
    slot: side.slots.map(quoted).join('|'),
    window: `${Math.max(1, Math.round((to - from) / 1_000))}s`,
  };
  return query.replace(/\{(version|slot|window)\}/g, (_, name: string) => values[name]!);
}

/** As it stands inside a string of PromQL. */
function quoted(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}

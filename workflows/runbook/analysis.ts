import type { Analysis, Check } from './checks.ts';
import { toMs } from './duration.ts';
import { PlanRefused } from './plan-refused.ts';

/** `watch` and `rollout.analysis` as a runbook writes them, checked by the schema. Limits include the value they name. */
export interface WrittenAnalysis {
  /** A duration, `5m`. */
  for?: string | undefined;
  /** `< 1%` */
  errors?: string | undefined;
  /** `< 300ms` */
  p50?: string | undefined;
  p95?: string | undefined;
  p99?: string | undefined;
  /** How much worse than stable, over the same minutes: of errors a share that is added, of times a part, `25%`. */
  compare?: Partial<Record<'errors' | Quantile, string | undefined>> | undefined;
  queries?: WrittenQuery[] | undefined;
  /** How often an error line may come that stable does not have. */
  logs?: { new: number } | undefined;
  samples?: number | undefined;
  inconclusive?: Analysis['inconclusive'] | undefined;
}

export interface WrittenQuery {
  name: string;
  /** PromQL that gives one number; `{version}`, `{slot}` and `{window}` are filled in. */
  query: string;
  /** `< 1000` or `> 5` */
  limit?: string | undefined;
  /** `25%` */
  compare?: string | undefined;
}

type Quantile = 'p50' | 'p95' | 'p99';
const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/**
 * What a runbook wrote as an analysis, completed. Errors are always looked at, also without a limit: so that too little
 * data is told. Throws `PlanRefused` for a comparison of a query that asks the same of both sides, and for a query that
 * has nothing to be judged by.
 */
export function analysisOf(
  written: WrittenAnalysis,
  defaults: Pick<Analysis, 'forMs' | 'minSamples' | 'inconclusive'>,
): Analysis {
  const checks: Check[] = [
    { kind: 'errors', ...limitOf(written.errors, shareOf), ...compareOf(written.compare?.errors) },
    ...latencyChecks(written),
    ...(written.queries ?? []).map(queryCheck),
    ...(written.logs ? [{ kind: 'logs', atMost: written.logs.new } satisfies Check] : []),
  ];
  return {
    forMs: written.for === undefined ? defaults.forMs : toMs(written.for),
    minSamples: written.samples ?? defaults.minSamples,
    checks,
    inconclusive: written.inconclusive ?? defaults.inconclusive,
  };
}

function latencyChecks(written: WrittenAnalysis): Check[] {
  return (Object.keys(quantiles) as Quantile[]).flatMap((name) => {
    const limits = { ...limitOf(written[name], toMs), ...compareOf(written.compare?.[name]) };
    return Object.keys(limits).length === 0 ? [] : [{ kind: 'latency', quantile: quantiles[name], ...limits }];
  });
}

function queryCheck({ name, query, limit, compare }: WrittenQuery): Check {
  const invalid = (why: string) => new PlanRefused('RunbookInvalid', `the query "${name}" ${why}`);
  if (limit === undefined && compare === undefined)
    throw invalid('has neither a limit nor a comparison to judge it by');
  if (compare !== undefined && !/\{(version|slot)\}/.test(query)) {
    throw invalid('asks the same of both sides: name {version} or {slot} in it to compare them');
  }
  const least = limit?.startsWith('>') ? { atLeast: Number(limit.slice(1)) } : limitOf(limit, Number);
  return { kind: 'query', name, query, ...least, ...compareOf(compare) };
}

/** `< 300ms` → `{ atMost: 300 }` */
function limitOf(text: string | undefined, read: (text: string) => number): { atMost?: number } {
  return text === undefined ? {} : { atMost: read(text.replace(/^<\s*/, '')) };
}

/** `25%` → `{ worseBy: 0.25 }` */
function compareOf(text: string | undefined): { worseBy?: number } {
  return text === undefined ? {} : { worseBy: shareOf(text) };
}

/** `0.5%` → 0.005, without the dust of a division. */
function shareOf(text: string): number {
  return Number(`${Number.parseFloat(text)}e-2`);
}

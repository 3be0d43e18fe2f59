import type { QueryResult } from '../../workflows/runbook/verdict-query.ts';
import type { ProductKind } from '../product-kind.ts';
import type { Secrets } from '../secrets/index.ts';
import { prometheus } from './prometheus.ts';

/** Where queries of a verdict are asked. */
export interface MetricsPort {
  /**
   * The one number that the query has at a moment, ms since the epoch, or why it has none. Changes nothing. Throws where
   * nobody answers (worth another try), and non-retryably where the query is refused.
   */
  ask(query: string, at: number): Promise<QueryResult>;
}

/** What a metrics port is made of, beside its own options. */
export interface MetricsContext {
  secrets: Pick<Secrets, 'resolve'>;
}

/** By the name that an environment's `metrics` says. Another product is one file beside prometheus.ts, and a line here. */
export const metricsKinds: Record<string, ProductKind<MetricsPort, MetricsContext>> = { prometheus };

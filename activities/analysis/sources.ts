import type { InstancesPort } from '../../workflows/ports.ts';
import type { Side } from '../../workflows/runbook/actions.ts';
import type { Check, Finding } from '../../workflows/runbook/checks.ts';
import { isTrafficCheck } from '../../workflows/runbook/verdict.ts';
import type { MetricsPort } from '../metrics/index.ts';
import { judgeByLogs } from './logs.ts';
import { judgeByQuery } from './queries.ts';

/** Who is looked at, and when, ms since the epoch. */
export interface Window {
  candidate: Side;
  stable: Side | null;
  from: number;
  to: number;
}

export interface SourcesInput {
  instances: Pick<InstancesPort, 'logs'>;
  metrics: MetricsPort | null;
  checks: Check[];
}

/** Queries and logs cost more than a look at the proxy, ms. */
const everyMs = 15_000;
/** A number over its limit may be a moment's; a log line that was printed stays printed. */
const looksBeyondDoubt = { query: 3, logs: 1 } as const;

type SourceCheck = Exclude<Check, { kind: 'errors' | 'latency' }>;

/** Findings of queries and logs: of all at the end, before it of those that are beyond doubt. */
export interface Sources {
  /** A source that cannot be asked is a finding `errored`; nothing is thrown. */
  all(window: Window): Promise<Finding[]>;
  /** Asks every 15 s. A query counts once it has failed three times in a row; who cannot be asked is asked again. */
  early(window: Window): Promise<Finding[]>;
}

export function createSources({ instances, metrics, checks }: SourcesInput): Sources {
  const asked = checks.filter((check): check is SourceCheck => !isTrafficCheck(check));
  const failedInARow = new Map<SourceCheck, number>();
  let next: number | null = null;

  async function judged(check: SourceCheck, window: Window): Promise<Finding> {
    try {
      if (check.kind === 'logs') return await judgeByLogs(check, instances, window);
      return await judgeByQuery(check, metrics, window);
    } catch (error) {
      return errored(check.kind === 'logs' ? 'logs' : check.name, error);
    }
  }

  return {
    all: (window) => Promise.all(asked.map((check) => judged(check, window))),
    async early(window) {
      next ??= window.from + everyMs;
      if (window.to < next) return [];
      next = window.to + everyMs;
      const findings = await Promise.all(asked.map(async (check) => ({ check, found: await judged(check, window) })));
      return findings.flatMap(({ check, found }) => {
        const times = found.word === 'failed' ? (failedInARow.get(check) ?? 0) + 1 : 0;
        failedInARow.set(check, times);
        return times >= looksBeyondDoubt[check.kind] ? [found] : [];
      });
    },
  };
}

/** Measuring itself failed. */
export function errored(name: string, error: unknown): Finding {
  return { name, word: 'errored', sentence: `${name}: ${(error as Error).message}`, candidate: null, stable: null };
}

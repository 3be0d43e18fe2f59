import { analysisOf, type WrittenAnalysis } from './analysis.ts';
import type { Analysis, Check } from './checks.ts';
import { describeMs } from './duration.ts';
import type { Slot } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { type Draft, mayAnswer, phaseOf, quickMs, type Situation, sideOf } from './planning.ts';
import { longestMs } from './verdict-errors.ts';

export interface Watched {
  id: string;
  /** Completes "Watch shop 2": ` at 10%`, ` in web-1`. */
  where: string;
  written: WrittenAnalysis;
  forMs: number;
  candidate: Slot[];
  /** Empty: nobody to compare with. */
  stable: Slot[];
}

/** Watches the new version, beside the one before where that serves meanwhile; a verdict follows. */
export function watchStep(situation: Situation, { id, where, written, forMs, candidate, stable }: Watched): Draft {
  const { runbook, release, from } = situation;
  const analysis = analysisOf(written, { forMs, minSamples: 50, inconclusive: 'hold' });
  refuseUnasked(situation, analysis);
  const name = `${runbook.service} ${release.version}${where}`;
  return {
    id,
    phase: phaseOf(id),
    sentence: `Watch ${name} for ${describeMs(forMs)}${describeAnalysis(analysis)}`,
    action: {
      kind: 'watch',
      candidate: sideOf(release, candidate),
      stable: from && stable.length > 0 ? sideOf(from, stable) : null,
      analysis,
      by: mayAnswer(situation, runbook.verify.hold?.by),
    },
    deadlineMs: longestMs(analysis) + quickMs,
  };
}

function refuseUnasked({ target, environment }: Situation, { checks }: Analysis): void {
  const query = checks.find((check) => check.kind === 'query');
  if (!query || target.metrics) return;
  throw new PlanRefused(
    'NoMetrics',
    `the query "${query.name}" has nobody to ask: give ${target.name} \`metrics\` in environment ${environment}`,
  );
}

/** `: errors at most 1%, p95 at most 300ms`; empty where nothing is judged. */
function describeAnalysis({ checks }: Analysis): string {
  const words = checks.flatMap((check) => describeCheck(check) || []);
  return words.length > 0 ? `: ${words.join(', ')}` : '';
}

function describeCheck(check: Check): string {
  if (check.kind === 'logs') return `new log lines at most ${check.atMost}`;
  const { atMost, worseBy } = check;
  const name = check.kind === 'latency' ? `p${check.quantile * 100}` : check.kind === 'query' ? check.name : 'errors';
  const limits = [
    ...(atMost === undefined ? [] : [`at most ${value(check, atMost)}`]),
    ...(check.kind === 'query' && check.atLeast !== undefined ? [`at least ${check.atLeast}`] : []),
    ...(worseBy === undefined ? [] : [`at most ${percent(worseBy)} worse`]),
  ];
  return limits.length > 0 ? `${name} ${limits.join(' and ')}` : '';
}

function value({ kind }: Check, limit: number): string {
  if (kind === 'errors') return percent(limit);
  return kind === 'latency' ? describeMs(limit) : `${limit}`;
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(6))}%`;

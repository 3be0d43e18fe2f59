import type { Analysis, Check, Finding, TrafficMeasurement, Verdict } from './checks.ts';
import { describeMs } from './duration.ts';
import { errorsBeyondDoubt, judgeErrors } from './verdict-errors.ts';
import { judgeLatency } from './verdict-latency.ts';
import { strongest } from './verdict-words.ts';

/** What the proxy measured of both over the same minutes. */
export interface Sides {
  candidate: TrafficMeasurement;
  /** null: nothing else runs. */
  stable: TrafficMeasurement | null;
}

export type TrafficCheck = Extract<Check, { kind: 'errors' | 'latency' }>;

/** Whether the proxy's own measurements answer the check. */
export function isTrafficCheck(check: Check): check is TrafficCheck {
  return check.kind === 'errors' || check.kind === 'latency';
}

/** One check, at the end of a watch. Fewer requests to the candidate than `minSamples` are inconclusive, whatever they say. */
export function judge(check: TrafficCheck, { candidate, stable }: Sides, analysis: Analysis): Finding {
  if (check.kind === 'errors') return judgeErrors(check, candidate, stable, analysis);
  return judgeLatency(check, candidate, stable, analysis);
}

/** What has failed before the end beyond doubt; empty: watch on. */
export function judgeEarly({ candidate, stable }: Sides, analysis: Analysis): Finding[] {
  return analysis.checks.flatMap((check) => {
    if (check.kind !== 'errors') return [];
    return errorsBeyondDoubt(check, candidate, stable, analysis) ?? [];
  });
}

/**
 * One verdict out of all findings: `failed` over `errored` over `inconclusive` over `passed`. The sentence says what
 * made it so; of a pass it is everything that was found.
 */
export function conclude(findings: Finding[], sides: Sides | null): Verdict {
  const word = strongest(findings.map((finding) => finding.word));
  const reasons = findings.filter((finding) => finding.word === word).map(({ sentence }) => sentence);
  const window = word === 'passed' && sides ? `${describeMs(sides.candidate.windowMs)}: ` : '';
  // Two checks may lack the same data.
  const sentence = `${window}${[...new Set(reasons)].join('; ') || 'nothing to judge'}`;
  return { word, sentence, findings, candidate: sides?.candidate ?? null, stable: sides?.stable ?? null };
}

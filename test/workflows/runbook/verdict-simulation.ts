import type { Analysis, TrafficMeasurement, VerdictWord } from '../../../workflows/runbook/checks.ts';
import { judge, judgeEarly } from '../../../workflows/runbook/verdict.ts';

export interface Traffic {
  /** Requests a second. */
  candidate: number;
  stable: number;
  /** Share of answers that fail, of each. */
  candidateErrors: number;
  stableErrors: number;
}

/** One watch as the loop does it: a look every second, and the last one at the end. What it says of the errors. */
export function watched(traffic: Traffic, analysis: Analysis, random: () => number): VerdictWord {
  const candidate = nothingYet();
  const stable = nothingYet();
  const check = analysis.checks.find(({ kind }) => kind === 'errors');
  if (check?.kind !== 'errors') throw new Error('only errors are simulated');
  for (let second = 1; second <= analysis.forMs / 1_000; second++) {
    serve(candidate, traffic.candidate, traffic.candidateErrors, random);
    serve(stable, traffic.stable, traffic.stableErrors, random);
    if (judgeEarly({ candidate, stable }, analysis).length > 0) return 'failed';
  }
  return judge(check, { candidate, stable }, analysis).word;
}

function serve(side: TrafficMeasurement, requests: number, errors: number, random: () => number): void {
  side.requests += requests;
  for (let n = 0; n < requests; n++) if (random() < errors) side.errors += 1;
  side.windowMs += 1_000;
}

function nothingYet(): TrafficMeasurement {
  return { requests: 0, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null, windowMs: 0 };
}

/** The same numbers from the same seed, 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

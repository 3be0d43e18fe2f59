import type { Analysis, Check, Finding, TrafficMeasurement } from './checks.ts';
import { tooFew } from './verdict-errors.ts';
import { findingOf, percent, type Reason, time } from './verdict-words.ts';

type LatencyCheck = Extract<Check, { kind: 'latency' }>;

/** A comparison never fails for less, ms: of 3 ms against 2 ms nobody notices that it is half as much again. */
const noticeableMs = 50;
/** A quantile is compared only where at least so many answers lie beyond it: with fewer it is the time of one bad luck. */
const beyond = 5;
/** With a smaller part of candidate's requests, stable has no traffic, but what was in flight when it lost it. */
const leftover = 1 / 20;

/**
 * The time to answer at a quantile, at the end of a watch. Never before: the slowest answers come first.
 *
 * `atMost`: equal passes. `worseBy`: fails where candidate is slower than stable by more than this part, and by more
 * than 50 ms. Compared where each side has 5 answers beyond the quantile (10 answers for the median, 100 for p95, 500
 * for p99), else inconclusive; left out where stable has no traffic.
 */
export function judgeLatency(
  check: LatencyCheck,
  candidate: TrafficMeasurement,
  stable: TrafficMeasurement | null,
  { minSamples }: Analysis,
): Finding {
  const mine = timeAt(candidate, check.quantile);
  const numbers = {
    name: quantileName(check.quantile),
    candidate: mine,
    stable: stable && timeAt(stable, check.quantile),
  };
  const inconclusive = (sentence: string): Finding => ({ ...numbers, word: 'inconclusive', sentence });
  if (candidate.requests < minSamples) return inconclusive(tooFew(candidate, minSamples));
  if (mine === null) return inconclusive(`none of ${candidate.requests} answers has a time to judge`);
  const seen = `${percent(check.quantile)} of ${candidate.requests} answers took up to ${time(mine)}`;
  return findingOf(numbers, seen, [...againstLimit(check, mine), ...againstStable(check, mine, candidate, stable)]);
}

/** 0.95 → `p95` */
function quantileName(quantile: LatencyCheck['quantile']): 'p50' | 'p95' | 'p99' {
  return quantile === 0.5 ? 'p50' : quantile === 0.95 ? 'p95' : 'p99';
}

function timeAt(measured: TrafficMeasurement, quantile: LatencyCheck['quantile']): number | null {
  return measured[`${quantileName(quantile)}Ms`];
}

function againstLimit({ atMost }: LatencyCheck, mine: number): Reason[] {
  if (atMost === undefined) return [];
  return [{ word: mine > atMost ? 'failed' : 'passed', text: `the limit is ${time(atMost)}` }];
}

function againstStable(
  { worseBy, quantile }: LatencyCheck,
  mine: number,
  candidate: TrafficMeasurement,
  stable: TrafficMeasurement | null,
): Reason[] {
  if (worseBy === undefined) return [];
  const needed = Math.ceil(beyond / (1 - quantile) - 1e-9);
  if (!stable || (stable.requests < needed && stable.requests < candidate.requests * leftover)) {
    return [{ word: 'passed', text: 'not compared: stable had no traffic' }];
  }
  const fewer = Math.min(candidate.requests, stable.requests);
  const theirs = timeAt(stable, quantile);
  if (fewer < needed || theirs === null) {
    return [{ word: 'inconclusive', text: `not compared: ${needed} answers a side are needed, there are ${fewer}` }];
  }
  const text = `stable ${time(theirs)} of ${stable.requests}`;
  if (mine - theirs <= noticeableMs || mine <= theirs * (1 + worseBy)) return [{ word: 'passed', text }];
  return [{ word: 'failed', text: `${text}: more than ${percent(worseBy)} slower` }];
}

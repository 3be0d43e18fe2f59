import type { Analysis, Check, Finding, TrafficMeasurement } from './checks.ts';
import { describeMs } from './duration.ts';
import { binomialTail, fisherTail } from './statistics.ts';
import { findingOf, percent, type Reason } from './verdict-words.ts';

type ErrorsCheck = Extract<Check, { kind: 'errors' }>;

/** Chance, of a candidate as good as stable, to be failed by the comparison at the end. */
const finalRisk = 0.0098;
/** The same of all looks before the end together. So a watch gives a false alarm in one of a hundred deploys at most. */
const earlyRisk = 0.0002;
/** A comparison never fails on fewer: one client's mishap is a few errors of the same kind. */
const enoughErrors = 5;
/** So few errors may be chance even over a limit, unless chance has them in less than one of twenty releases at the limit. */
const chance = 0.05;
/** Errors are looked at this often, ms; what early looks may risk is shared among so many. */
export const lookMs = 1_000;
/** How often `extend` goes on for as long again. */
const extensions = 3;

/** The longest that a watch may take, with every extension, ms. */
export function longestMs({ forMs, inconclusive }: Analysis): number {
  return forMs * (inconclusive === 'extend' ? 1 + extensions : 1);
}

/**
 * The share of answers with status 5xx at the end of a watch.
 *
 * `atMost`: a share equal to it passes. Over it with fewer than 5 errors is inconclusive where chance explains it (exact
 * binomial test, p >= 0.05): one error in 50 answers is 2%, and a healthy release with 0.2% has that in one of ten deploys.
 *
 * `worseBy`: fails where the difference of both shares is larger than it, there are at least 5 errors, and Fisher's
 * exact test rules out (p <= 0.0098) that both sides are equally good. Fisher's test has no margin, so the margin is a
 * condition of its own: a test against `stable + worseBy` itself would need about twice the requests for the same fault.
 * Requests a side that find a fault beside 0.2% in at least 95 of 100 deploys (`worseBy` 0.5%): 330 for 5% of errors,
 * 1,000 for 2%, 4,000 for 1%; beside nine times as much stable traffic little more than half of that.
 */
export function judgeErrors(
  check: ErrorsCheck,
  candidate: TrafficMeasurement,
  stable: TrafficMeasurement | null,
  { minSamples }: Analysis,
): Finding {
  if (candidate.requests < minSamples) {
    return { ...numbers(candidate, stable), word: 'inconclusive', sentence: tooFew(candidate, minSamples) };
  }
  const reasons = [...againstLimit(check, candidate, chance), ...againstStable(check, candidate, stable, finalRisk)];
  return findingOf(numbers(candidate, stable), seen(candidate), reasons);
}

/**
 * `failed` before the end, or null: watch on. Only from `minSamples` on, and only where chance does not explain it.
 * It is looked at every second, and each look could be misled; so all looks that there may be share a risk of 0.0002
 * among them (Bonferroni: the sum of their risks bounds the chance that any of them is misled).
 */
export function errorsBeyondDoubt(
  check: ErrorsCheck,
  candidate: TrafficMeasurement,
  stable: TrafficMeasurement | null,
  analysis: Analysis,
): Finding | null {
  if (candidate.requests < analysis.minSamples) return null;
  const risk = earlyRisk / Math.max(1, Math.ceil(longestMs(analysis) / lookMs));
  const over = check.atMost !== undefined && binomialTail(candidate, check.atMost) <= risk;
  const reasons = [
    ...(over ? againstLimit(check, candidate, risk) : []),
    ...againstStable(check, candidate, stable, risk),
  ].filter(({ word }) => word === 'failed');
  if (reasons.length === 0) return null;
  const stopped = `stopped after ${describeMs(candidate.windowMs)} of ${describeMs(analysis.forMs)}`;
  return findingOf(numbers(candidate, stable), seen(candidate), [...reasons, { word: 'failed', text: stopped }]);
}

function againstLimit({ atMost }: ErrorsCheck, candidate: TrafficMeasurement, risk: number): Reason[] {
  if (atMost === undefined) return [];
  const text = `the limit is ${percent(atMost)}`;
  if (candidate.errors / candidate.requests <= atMost) return [{ word: 'passed', text }];
  if (candidate.errors >= enoughErrors || binomialTail(candidate, atMost) <= risk) return [{ word: 'failed', text }];
  return [{ word: 'inconclusive', text: `${text}: so few errors may be chance` }];
}

function againstStable(
  { worseBy }: ErrorsCheck,
  candidate: TrafficMeasurement,
  stable: TrafficMeasurement | null,
  risk: number,
): Reason[] {
  if (worseBy === undefined) return [];
  if (!stable || stable.requests === 0) return [{ word: 'passed', text: 'not compared: stable had no traffic' }];
  const share = stable.errors / stable.requests;
  const text = `stable ${stable.errors} of ${stable.requests} (${percent(share)})`;
  const worse = candidate.errors / candidate.requests - share > worseBy && candidate.errors >= enoughErrors;
  const p = worse ? fisherTail(candidate, stable) : 1;
  if (p > risk) return [{ word: 'passed', text }];
  return [
    { word: 'failed', text: `${text}: more than ${percent(worseBy)} worse, and not by chance (p = ${small(p)})` },
  ];
}

function numbers(candidate: TrafficMeasurement, stable: TrafficMeasurement | null) {
  return { name: 'errors', candidate: shareOf(candidate), stable: stable && shareOf(stable) };
}

function shareOf({ errors, requests }: TrafficMeasurement): number | null {
  return requests === 0 ? null : errors / requests;
}

function seen({ errors, requests }: TrafficMeasurement): string {
  return `${errors} of ${requests} answers failed (${percent(errors / requests)})`;
}

/** `31 requests in 30s are too little data: 50 are needed` */
export function tooFew({ requests, windowMs }: TrafficMeasurement, minSamples: number): string {
  const few = requests === 1 ? '1 request' : `${requests} requests`;
  return `${few} in ${describeMs(windowMs)} ${requests === 1 ? 'is' : 'are'} too little data: ${minSamples} are needed`;
}

/** 0.0000612 → `0.000061`; one that is smaller than anybody reads → `< 0.000001`. */
function small(p: number): string {
  if (p < 1e-6) return '< 0.000001';
  return p.toFixed(1 - Math.floor(Math.log10(p)));
}

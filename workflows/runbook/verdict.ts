import type { TrafficMeasurement, Verdict, WatchLimits } from './checks.ts';
import { describeMs } from './duration.ts';

/** Chance, of a release that is exactly as good as its limit, to be failed by one look before the window's end. */
const earlyRisk = 0.001;

/**
 * The verdict on a finished window. Fails where the share of answers with a 5xx status (errors / requests) or the
 * 95th percentile is over its limit; a value equal to the limit passes. Fewer requests than `minSamples` are
 * inconclusive whatever they say, as in Argo Rollouts, where neither success nor failure met is `Inconclusive`.
 */
export function judge(measurement: TrafficMeasurement, limits: WatchLimits): Verdict {
  const say = (word: Verdict['word'], sentence: string): Verdict => ({ word, sentence, measurement });
  if (measurement.requests < limits.minSamples) return say('inconclusive', tooLittle(measurement, limits));
  const over = [errorsOver(measurement, limits), slowOver(measurement, limits)].filter((text) => text !== null);
  if (over.length > 0) return say('failed', over.join('; '));
  if (limits.p95Ms !== undefined && measurement.p95Ms === null) {
    return say('inconclusive', `none of ${measurement.requests} answers has a time to compare with the limit`);
  }
  return say('passed', summary(measurement, limits));
}

/**
 * `failed` before the window's end, or null: watch on. Only on errors, from `minSamples` on, when their share is
 * over the limit and chance does not explain it: the exact one-sided binomial test, P(X >= errors) < 0.001 for
 * X ~ B(requests, limit) (Clopper & Pearson, Biometrika 26, 1934). The share alone would not do, since it is
 * looked at every second: one error in the first 50 answers is 2%, and a healthy release with 0.2% has that in
 * one of ten deploys.
 */
export function judgeEarly(measurement: TrafficMeasurement, limits: WatchLimits): Verdict | null {
  if (limits.errors === undefined || measurement.requests < limits.minSamples) return null;
  const sentence = errorsOver(measurement, limits);
  if (sentence === null) return null;
  if (atLeast(measurement.errors, measurement.requests, limits.errors) >= earlyRisk) return null;
  const when = `after ${describeMs(measurement.windowMs)} of ${describeMs(limits.forMs)}`;
  return { word: 'failed', sentence: `${sentence}; stopped ${when}`, measurement };
}

function tooLittle({ requests, windowMs }: TrafficMeasurement, limits: WatchLimits): string {
  const { minSamples } = limits;
  const few = requests === 1 ? '1 request' : `${requests} requests`;
  return `${few} in ${describeMs(windowMs)} ${requests === 1 ? 'is' : 'are'} too little data: ${minSamples} are needed`;
}

function errorsOver({ requests, errors }: TrafficMeasurement, limits: WatchLimits): string | null {
  if (limits.errors === undefined || errors / requests <= limits.errors) return null;
  return `${errors} of ${requests} answers failed (${percent(errors / requests)}), the limit is ${percent(limits.errors)}`;
}

function slowOver({ requests, p95Ms }: TrafficMeasurement, limits: WatchLimits): string | null {
  if (limits.p95Ms === undefined || p95Ms === null || p95Ms <= limits.p95Ms) return null;
  return `95% of ${requests} answers took up to ${time(p95Ms)}, the limit is ${time(limits.p95Ms)}`;
}

function summary({ requests, errors, p95Ms, windowMs }: TrafficMeasurement, limits: WatchLimits): string {
  const limit = (text: string | undefined) => (text === undefined ? '' : `, the limit is ${text}`);
  const share = limit(limits.errors === undefined ? undefined : percent(limits.errors));
  const failed = `${errors} failed (${percent(errors / requests)}${share})`;
  const slow = limit(limits.p95Ms === undefined ? undefined : time(limits.p95Ms)).replace(', ', ' (');
  const took = p95Ms === null ? '' : `, 95% took up to ${time(p95Ms)}${slow && `${slow})`}`;
  return `${requests} answers in ${describeMs(windowMs)}: ${failed}${took}`;
}

/**
 * P(X >= k) for X ~ B(n, p): one minus the sum of the terms below k, each from the one before by
 * P(i+1) = P(i) · (n−i)/(i+1) · p/(1−p), in logarithms so that (1−p)^n does not vanish for a large n.
 */
function atLeast(k: number, n: number, p: number): number {
  if (k <= 0 || p >= 1) return 1;
  if (p <= 0) return 0;
  let term = n * Math.log1p(-p);
  let below = 0;
  for (let i = 0; i < k; i++) {
    below += Math.exp(term);
    term += Math.log((n - i) / (i + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.max(0, 1 - below);
}

/** 0.03 → `3%`, 0.00125 → `0.125%`: up to three significant digits. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}

function time(ms: number): string {
  return ms < 1_000 ? `${Number(ms.toPrecision(3))}ms` : `${Number((ms / 1_000).toPrecision(3))}s`;
}

/**
 * Two exact one-sided tests. Exact, because errors are rare: with the two or three of a healthy release, approximations
 * by the normal distribution are wrong by more than they promise.
 */

/** So many errors in so many answers. */
export interface Errors {
  errors: number;
  requests: number;
}

/**
 * P(X >= errors) for X ~ B(requests, share): how often a release whose true share is exactly `share` would look at
 * least this bad (Clopper & Pearson, Biometrika 26, 1934).
 */
export function binomialTail({ errors: k, requests: n }: Errors, share: number): number {
  if (k <= 0 || share >= 1) return 1;
  if (share <= 0) return 0;
  const odds = share / (1 - share);
  const first = logChoose(n, k) + k * Math.log(share) + (n - k) * Math.log1p(-share);
  return upperTail(k, n, first, (x) => ((n - x) / (x + 1)) * odds);
}

/**
 * How often candidate would have at least its errors if both sides were equally good: of all ways to hand the errors of
 * both out among the answers of both, the share that gives candidate as many (Fisher's exact test, the upper tail of the
 * hypergeometric distribution; Fisher, Statistical Methods for Research Workers, 5th ed. 1934, §21.02). Holds for every
 * common error rate, and for sides of any size.
 */
export function fisherTail(candidate: Errors, stable: Errors): number {
  const { errors: k, requests: n } = candidate;
  const bad = k + stable.errors;
  const all = n + stable.requests;
  if (k <= 0 || n === 0 || stable.requests === 0) return 1;
  const first = logChoose(bad, k) + logChoose(all - bad, n - k) - logChoose(all, n);
  const good = all - bad - n;
  return upperTail(k, Math.min(bad, n), first, (x) => ((bad - x) * (n - x)) / ((x + 1) * (good + x + 1)));
}

/** Sum of the terms `from` to `to`, of which the first is given by its logarithm and each next by its ratio. */
function upperTail(from: number, to: number, logFirst: number, ratio: (x: number) => number): number {
  let term = 1;
  let sum = 1;
  for (let x = from; x < to; x++) {
    const next = ratio(x);
    term *= next;
    sum += term;
    if (next < 1 && term < sum * 1e-16) break;
  }
  return Math.min(1, Math.exp(logFirst + Math.log(sum)));
}

/** Logarithms, since the numbers themselves overflow beyond 170!. */
function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series, which is right to 1e-12 from 16 on (Abramowitz & Stegun 6.1.41); below, the product itself. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const series = (1 / 12 - (1 / 360 - 1 / (1_260 * n * n)) / (n * n)) / n;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}

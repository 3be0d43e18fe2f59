/**
 * The `share`-quantile (0.95 for the 95th percentile) of values sorted in ascending order, null of none: the
 * smallest value that at least this share of all values does not exceed. Nearest rank, the inverse of the
 * empirical distribution function: definition 1 of Hyndman & Fan, "Sample Quantiles in Statistical Packages",
 * The American Statistician 50 (1996). No interpolation, so it is a time that a request really took.
 */
export function percentile(sorted: ArrayLike<number>, share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/** p50, p95 and p99 of times in ms; null each where there are none. */
export function quantiles(times: number[]): { p50Ms: number | null; p95Ms: number | null; p99Ms: number | null } {
  const sorted = Float64Array.from(times).sort();
  return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95), p99Ms: percentile(sorted, 0.99) };
}

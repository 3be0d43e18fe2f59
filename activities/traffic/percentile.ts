/**
 * The `share`-quantile (0.95 for the 95th percentile) of values sorted in ascending order, null of none: the
 * smallest value that at least this share of all values does not exceed. Nearest rank, the inverse of the
 * empirical distribution function: definition 1 of Hyndman & Fan, "Sample Quantiles in Statistical Packages",
 * The American Statistician 50 (1996). No interpolation, so it is a time that a request really took.
 */
export function percentile(sorted: ArrayLike<number>, share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

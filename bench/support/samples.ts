/** The value that a share `p` (0–1) of the samples does not exceed: one of the samples, nearest rank. Throws on none. */
export function percentile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError('there is nothing to take a percentile of');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
}

/** Milliseconds or rates for a table: three significant digits are all that a repetition confirms. */
export const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

/** The figures of one row, with their units in the keys. */
export function spread(samples: readonly number[]): { p50Ms: number; p95Ms: number; samples: number } {
  return {
    p50Ms: rounded(percentile(samples, 0.5)),
    p95Ms: rounded(percentile(samples, 0.95)),
    samples: samples.length,
  };
}

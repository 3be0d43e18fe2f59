/** What was measured of some requests, before it is made into numbers: so that several balancers' can be put together. */
import type { TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import { quantiles } from './percentile.ts';

export interface Samples {
  requests: number;
  /** Answers with status 5xx. */
  errors: number;
  /** Until the end of the answer, ms, of each request that has such a time, in any order. */
  times: number[];
  /** How long a part of the window is known, ms. */
  windowMs: number;
}

export function measurementOf({ times, ...counts }: Samples): TrafficMeasurement {
  return { ...counts, ...quantiles(times) };
}

/** Of all together, exactly; of the window only what each of them knows. */
export function mergedSamples(all: Samples[]): Samples {
  const sum = (of: (samples: Samples) => number) => all.reduce((total, samples) => total + of(samples), 0);
  return {
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    times: all.flatMap(({ times }) => times),
    windowMs: Math.min(...all.map(({ windowMs }) => windowMs)),
  };
}

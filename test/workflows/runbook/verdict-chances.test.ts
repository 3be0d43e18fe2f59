import { describe, expect, test } from 'vitest';
import type { Analysis, Check, VerdictWord } from '../../../workflows/runbook/checks.ts';
import { binomialTail, fisherTail } from '../../../workflows/runbook/statistics.ts';
import { seeded, type Traffic, watched } from './verdict-simulation.ts';

const compared: Check[] = [{ kind: 'errors', worseBy: 0.005 }];
/** Of so many simulated watches, with a look every second each, how many end in each word. */
function words(traffic: Traffic, seconds: number, checks = compared, deploys = 1_000) {
  const analysis: Analysis = { forMs: seconds * 1_000, minSamples: 50, checks, inconclusive: 'hold' };
  const random = seeded(20_261_121);
  const counts: Record<VerdictWord, number> = { passed: 0, failed: 0, errored: 0, inconclusive: 0 };
  for (let deploy = 0; deploy < deploys; deploy++) counts[watched(traffic, analysis, random)] += 1;
  return counts;
}

describe('a fault', () => {
  test('of 2% beside 0.2% is found with 1,000 requests a side, in at least 95 of 100 deploys', () => {
    const even: Traffic = { candidate: 20, stable: 20, candidateErrors: 0.02, stableErrors: 0.002 };
    expect(words(even, 50).failed).toBeGreaterThanOrEqual(950);
  });

  test('of 2% is found with 1,000 requests to a first step of a tenth of the traffic', () => {
    const tenth: Traffic = { candidate: 20, stable: 180, candidateErrors: 0.02, stableErrors: 0.002 };
    expect(words(tenth, 50).failed).toBeGreaterThanOrEqual(950);
  });

  test.for([
    [0.05, 10, 33],
    [0.01, 100, 40],
  ] as const)('of %d is found with %d requests a second in %d s', ([candidateErrors, rate, seconds]) => {
    const traffic = { candidate: rate, stable: rate, candidateErrors, stableErrors: 0.002 };
    expect(words(traffic, seconds).failed).toBeGreaterThanOrEqual(950);
  });
});

describe('a candidate that is as good as stable', () => {
  // So many, since with 1,000 a true chance of 0.8% is often seen as 1.2%.
  const many = 10_000;

  test.for([
    [0.002, 5, 45],
    [0.01, 10, 10],
    [0.05, 10, 10],
    [0.2, 2, 18],
  ] as const)('with %d of errors, %d and %d requests a second, is failed in 1 of 100 deploys at most', (traffic) => {
    const [errors, candidate, stable] = traffic;
    const counts = words({ candidate, stable, candidateErrors: errors, stableErrors: errors }, 60, compared, many);
    expect(counts.failed).toBeLessThanOrEqual(0.01 * many);
    expect(counts.inconclusive).toBe(0);
  });

  test('in five minutes of 40 requests a second is failed in 1 of 100 deploys at most', () => {
    const counts = words({ candidate: 20, stable: 20, candidateErrors: 0.002, stableErrors: 0.002 }, 300);
    expect(counts.failed).toBeLessThanOrEqual(10);
  });

  test('is not failed by a limit far above it, however few requests there are', () => {
    const traffic = { candidate: 2, stable: 2, candidateErrors: 0.002, stableErrors: 0.002 };
    expect(words(traffic, 30, [{ kind: 'errors', atMost: 0.01, worseBy: 0.005 }], many).failed).toBeLessThanOrEqual(
      0.01 * many,
    );
  });
});

test('five requests are no verdict, in no deploy', () => {
  const broken: Traffic = { candidate: 1, stable: 1, candidateErrors: 1, stableErrors: 0 };
  expect(words(broken, 5, [{ kind: 'errors', atMost: 0.01, worseBy: 0.005 }]).inconclusive).toBe(1_000);
});

describe('the exact tests', () => {
  test("give the numbers of Fisher's own example: 3 of 4 cups beside 1 of 4", () => {
    expect(fisherTail({ errors: 3, requests: 4 }, { errors: 1, requests: 4 })).toBeCloseTo(17 / 70, 12);
    expect(fisherTail({ errors: 4, requests: 4 }, { errors: 0, requests: 4 })).toBeCloseTo(1 / 70, 12);
  });

  test('agree with adding up every possible outcome', () => {
    for (const [k, n, p] of [
      [1, 50, 0.01],
      [4, 50, 0.01],
      [9, 30, 0.4],
      [3, 3, 0.2],
    ] as const) {
      expect(binomialTail({ errors: k, requests: n }, p)).toBeCloseTo(binomialSum(k, n, p), 10);
    }
  });

  test('hold for millions of requests, and at the edges', () => {
    expect(fisherTail({ errors: 50_500, requests: 5e6 }, { errors: 50_000, requests: 5e6 })).toBeCloseTo(0.057, 2);
    expect(binomialTail({ errors: 50_500, requests: 5e6 }, 0.01)).toBeCloseTo(0.0125, 3);
    expect(fisherTail({ errors: 0, requests: 50 }, { errors: 9, requests: 50 })).toBe(1);
    expect(fisherTail({ errors: 50, requests: 50 }, { errors: 50, requests: 50 })).toBeCloseTo(1, 9);
    expect(fisherTail({ errors: 9, requests: 50 }, { errors: 0, requests: 0 })).toBe(1);
    expect(binomialTail({ errors: 1, requests: 50 }, 0)).toBe(0);
    expect(binomialTail({ errors: 50, requests: 50 }, 1)).toBe(1);
  });
});

function binomialSum(k: number, n: number, p: number): number {
  let sum = 0;
  for (let x = k; x <= n; x++) sum += choose(n, x) * p ** x * (1 - p) ** (n - x);
  return sum;
}

function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
}

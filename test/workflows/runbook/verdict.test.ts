import { describe, expect, test } from 'vitest';
import type { TrafficMeasurement, WatchLimits } from '../../../workflows/runbook/checks.ts';
import { judge, judgeEarly } from '../../../workflows/runbook/verdict.ts';

const limits: WatchLimits = { forMs: 30_000, errors: 0.01, p95Ms: 300, minSamples: 50, inconclusive: 'hold' };

function measured(requests: number, errors: number, p95Ms: number | null = 120): TrafficMeasurement {
  return { requests, errors, p50Ms: p95Ms, p95Ms, windowMs: 30_000 };
}

describe('a finished window', () => {
  test.for([
    [
      measured(400, 0),
      'passed',
      '400 answers in 30s: 0 failed (0%, the limit is 1%), 95% took up to 120ms (the limit is 300ms)',
    ],
    [
      measured(400, 4, 300),
      'passed',
      '400 answers in 30s: 4 failed (1%, the limit is 1%), 95% took up to 300ms (the limit is 300ms)',
    ],
    [measured(400, 12), 'failed', '12 of 400 answers failed (3%), the limit is 1%'],
    [measured(400, 0, 1_480), 'failed', '95% of 400 answers took up to 1.48s, the limit is 300ms'],
    [
      measured(400, 12, 301),
      'failed',
      '12 of 400 answers failed (3%), the limit is 1%; 95% of 400 answers took up to 301ms, the limit is 300ms',
    ],
    [measured(31, 0), 'inconclusive', '31 requests in 30s are too little data: 50 are needed'],
    [measured(1, 1), 'inconclusive', '1 request in 30s is too little data: 50 are needed'],
    [measured(0, 0, null), 'inconclusive', '0 requests in 30s are too little data: 50 are needed'],
    [measured(60, 0, null), 'inconclusive', 'none of 60 answers has a time to compare with the limit'],
  ] as const)('%j: %s', ([measurement, word, sentence]) => {
    expect(judge(measurement, limits)).toEqual({ word, sentence, measurement });
  });

  test('without limits says what was seen', () => {
    const { errors, p95Ms, ...none } = limits;
    expect(judge(measured(80, 2), none).sentence).toBe('80 answers in 30s: 2 failed (2.5%), 95% took up to 120ms');
  });
});

describe('a window that is still open', () => {
  const early = (requests: number, errors: number, changes: Partial<WatchLimits> = {}) =>
    judgeEarly({ ...measured(requests, errors), windowMs: 4_000 }, { ...limits, ...changes });

  test('fails on errors beyond doubt', () => {
    expect(early(50, 25)?.word).toBe('failed');
    expect(early(400, 12)?.sentence).toBe('12 of 400 answers failed (3%), the limit is 1%; stopped after 4s of 30s');
  });

  test('is watched on while one early error may be chance', () => {
    expect(early(50, 1)).toBeNull();
    expect(early(50, 4)).toBeNull();
    expect(early(50, 5)?.word).toBe('failed');
  });

  test('is watched on below the least number of requests, whatever they say', () => {
    expect(early(49, 49)).toBeNull();
    expect(early(0, 0)).toBeNull();
  });

  test('fails on the first error where none is allowed', () => {
    expect(early(50, 1, { errors: 0 })?.word).toBe('failed');
    expect(early(50, 0, { errors: 0 })).toBeNull();
  });

  test('cannot fail where every answer may be an error', () => {
    expect(early(50, 50, { errors: 1 })).toBeNull();
  });

  test('is judged alike with very many requests', () => {
    expect(early(5_000_000, 50_500)).toBeNull();
    expect(early(5_000_000, 51_500)?.word).toBe('failed');
  });

  test('is not failed for its times, as the slowest answers come first', () => {
    expect(judgeEarly(measured(400, 0, 9_000), limits)).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import type { Analysis, Check, TrafficMeasurement } from '../../../workflows/runbook/checks.ts';
import { conclude, judge, judgeEarly, type TrafficCheck } from '../../../workflows/runbook/verdict.ts';

const analysis: Analysis = { forMs: 30_000, minSamples: 50, checks: [], inconclusive: 'hold' };

function measured(requests: number, errors: number, ms: number | null = 120, windowMs = 30_000): TrafficMeasurement {
  return { requests, errors, p50Ms: ms, p95Ms: ms, p99Ms: ms, windowMs };
}

const judged = (check: TrafficCheck, candidate: TrafficMeasurement, stable: TrafficMeasurement | null = null) => {
  const { word, sentence } = judge(check, { candidate, stable }, analysis);
  return `${word}: ${sentence}`;
};

describe('errors against a limit', () => {
  const limit = { kind: 'errors', atMost: 0.01 } as const;
  test.for([
    [measured(400, 0), 'passed: 0 of 400 answers failed (0%), the limit is 1%'],
    [measured(400, 4), 'passed: 4 of 400 answers failed (1%), the limit is 1%'],
    [measured(400, 12), 'failed: 12 of 400 answers failed (3%), the limit is 1%'],
    [measured(400, 5), 'failed: 5 of 400 answers failed (1.25%), the limit is 1%'],
    [measured(50, 3), 'failed: 3 of 50 answers failed (6%), the limit is 1%'],
    [measured(50, 1), 'inconclusive: 1 of 50 answers failed (2%), the limit is 1%: so few errors may be chance'],
    [measured(31, 0), 'inconclusive: 31 requests in 30s are too little data: 50 are needed'],
    [measured(5, 5), 'inconclusive: 5 requests in 30s are too little data: 50 are needed'],
    [measured(1, 1), 'inconclusive: 1 request in 30s is too little data: 50 are needed'],
    [measured(0, 0, null), 'inconclusive: 0 requests in 30s are too little data: 50 are needed'],
  ] as const)('%j is %s', ([candidate, said]) => {
    expect(judged(limit, candidate)).toBe(said);
  });

  test('where none is allowed, one is too many', () => {
    expect(judged({ kind: 'errors', atMost: 0 }, measured(50, 1))).toMatch(/^failed/);
  });

  test('without a limit are only told', () => {
    expect(judged({ kind: 'errors' }, measured(80, 2))).toBe('passed: 2 of 80 answers failed (2.5%)');
  });
});

describe('errors against stable, over the same minutes', () => {
  const compared = { kind: 'errors', worseBy: 0.005 } as const;
  test.for([
    [
      measured(1_000, 20),
      measured(1_000, 2),
      'failed: 20 of 1000 answers failed (2%), stable 2 of 1000 (0.2%): more than 0.5% worse, and not by chance (p = 0.000056)',
    ],
    [measured(1_000, 6), measured(1_000, 2), 'passed: 6 of 1000 answers failed (0.6%), stable 2 of 1000 (0.2%)'],
    [measured(100, 4), measured(9_000, 0), 'passed: 4 of 100 answers failed (4%), stable 0 of 9000 (0%)'],
    [
      measured(9_000, 60),
      measured(9_000, 30),
      'passed: 60 of 9000 answers failed (0.667%), stable 30 of 9000 (0.333%)',
    ],
    [measured(400, 40), measured(400, 38), 'passed: 40 of 400 answers failed (10%), stable 38 of 400 (9.5%)'],
    [
      measured(400, 40),
      measured(0, 0, null),
      'passed: 40 of 400 answers failed (10%), not compared: stable had no traffic',
    ],
    [measured(400, 40), null, 'passed: 40 of 400 answers failed (10%), not compared: stable had no traffic'],
    [measured(5, 5), measured(45, 0), 'inconclusive: 5 requests in 30s are too little data: 50 are needed'],
  ] as const)('%j beside %j', ([candidate, stable, said]) => {
    expect(judged(compared, candidate, stable)).toBe(said);
  });

  test('a fault that both sides have is none of the candidate, but still over a limit', () => {
    const both = { kind: 'errors', worseBy: 0.005, atMost: 0.05 } as const;
    expect(judged(both, measured(400, 40), measured(400, 40))).toBe(
      'failed: 40 of 400 answers failed (10%), the limit is 5%, stable 40 of 400 (10%)',
    );
  });
});

describe('times to answer', () => {
  const check = { kind: 'latency', quantile: 0.95, atMost: 300, worseBy: 0.25 } as const;
  test.for([
    [
      measured(400, 0, 300),
      measured(400, 0, 280),
      'passed: 95% of 400 answers took up to 300ms, the limit is 300ms, stable 280ms of 400',
    ],
    [
      measured(400, 0, 1_480),
      null,
      'failed: 95% of 400 answers took up to 1.48s, the limit is 300ms, not compared: stable had no traffic',
    ],
    [
      measured(400, 0, 260),
      measured(400, 0, 180),
      'failed: 95% of 400 answers took up to 260ms, stable 180ms of 400: more than 25% slower, the limit is 300ms',
    ],
    [
      measured(400, 0, 3),
      measured(400, 0, 2),
      'passed: 95% of 400 answers took up to 3ms, the limit is 300ms, stable 2ms of 400',
    ],
    [
      measured(400, 0, 240),
      measured(400, 0, 190),
      'passed: 95% of 400 answers took up to 240ms, the limit is 300ms, stable 190ms of 400',
    ],
    [
      measured(400, 0, 200),
      measured(60, 0, 100),
      'inconclusive: 95% of 400 answers took up to 200ms, not compared: 100 answers a side are needed, there are 60, the limit is 300ms',
    ],
    [
      measured(400, 0, 200),
      measured(3, 0, 100),
      'passed: 95% of 400 answers took up to 200ms, the limit is 300ms, not compared: stable had no traffic',
    ],
    [measured(60, 0, null), null, 'inconclusive: none of 60 answers has a time to judge'],
    [measured(40, 0, 900), null, 'inconclusive: 40 requests in 30s are too little data: 50 are needed'],
  ] as const)('%j beside %j', ([candidate, stable, said]) => {
    expect(judged(check, candidate, stable)).toBe(said);
  });

  test('each quantile has its own name and number', () => {
    const candidate = { ...measured(1_000, 0), p50Ms: 10, p95Ms: 90, p99Ms: 400 };
    const found = ([0.5, 0.95, 0.99] as const).map((quantile) =>
      judge({ kind: 'latency', quantile }, { candidate, stable: null }, analysis),
    );
    expect(found.map(({ name, candidate }) => [name, candidate])).toEqual([
      ['p50', 10],
      ['p95', 90],
      ['p99', 400],
    ]);
  });
});

describe('a window that is still open', () => {
  const limit: Check[] = [{ kind: 'errors', atMost: 0.01 }];
  const early = (requests: number, errors: number, checks: Check[] = limit, stable: TrafficMeasurement | null = null) =>
    judgeEarly({ candidate: measured(requests, errors, 120, 4_000), stable }, { ...analysis, checks });

  test('fails on errors beyond doubt', () => {
    expect(early(50, 25)).toMatchObject([{ name: 'errors', word: 'failed', candidate: 0.5 }]);
    expect(early(400, 20)[0]?.sentence).toBe('20 of 400 answers failed (5%), the limit is 1%, stopped after 4s of 30s');
  });

  test('fails on a difference beyond doubt, though no limit is given', () => {
    const compared: Check[] = [{ kind: 'errors', worseBy: 0.005 }];
    expect(early(400, 60, compared, measured(400, 1))).toMatchObject([{ word: 'failed', stable: 0.0025 }]);
    expect(early(400, 60, compared, measured(400, 50))).toEqual([]);
  });

  test('is watched on while a few early errors may be chance', () => {
    for (const errors of [1, 4, 5]) expect(early(50, errors)).toEqual([]);
    expect(early(50, 9)).toHaveLength(1);
  });

  test('is watched on below the least number of requests, whatever they say', () => {
    expect(early(49, 49)).toEqual([]);
    expect(early(0, 0)).toEqual([]);
  });

  test('fails on the first error where none is allowed', () => {
    expect(early(50, 1, [{ kind: 'errors', atMost: 0 }])).toHaveLength(1);
    expect(early(50, 0, [{ kind: 'errors', atMost: 0 }])).toEqual([]);
  });

  test('cannot fail where every answer may be an error', () => {
    expect(early(50, 50, [{ kind: 'errors', atMost: 1 }])).toEqual([]);
  });

  test('is judged alike with very many requests', () => {
    expect(early(5_000_000, 50_500)).toEqual([]);
    expect(early(5_000_000, 51_500)).toHaveLength(1);
  });

  test('is not failed for its times, as the slowest answers come first', () => {
    const slow: Check[] = [{ kind: 'latency', quantile: 0.95, atMost: 300 }];
    expect(judgeEarly({ candidate: measured(400, 0, 9_000), stable: null }, { ...analysis, checks: slow })).toEqual([]);
  });
});

describe('a verdict', () => {
  const finding = (word: 'passed' | 'failed' | 'errored' | 'inconclusive') =>
    ({ name: word, word, sentence: `it ${word}`, candidate: 1, stable: null }) as const;
  const sides = { candidate: measured(400, 0), stable: measured(600, 1) };

  test('is its worst finding: failed, then errored, then inconclusive', () => {
    const words = ['passed', 'inconclusive', 'errored', 'failed'] as const;
    words.forEach((word, index) => {
      expect(conclude(words.slice(0, index + 1).map(finding), sides)).toMatchObject({ word });
    });
    expect(conclude([finding('failed'), finding('passed')], sides).sentence).toBe('it failed');
  });

  test('keeps every finding and the numbers of both sides', () => {
    const verdict = conclude([finding('passed'), { ...finding('passed'), sentence: 'all is well' }], sides);
    expect(verdict).toMatchObject({ ...sides, sentence: '30s: it passed; all is well', findings: [{}, {}] });
  });

  test('says once what two checks lack', () => {
    expect(conclude([finding('inconclusive'), finding('inconclusive')], null).sentence).toBe('it inconclusive');
  });
});

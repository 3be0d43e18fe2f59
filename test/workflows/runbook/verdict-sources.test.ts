import { describe, expect, test } from 'vitest';
import type { Check } from '../../../workflows/runbook/checks.ts';
import { judgeLogs, type Printed } from '../../../workflows/runbook/verdict-logs.ts';
import { judgeQuery, type QueryResult } from '../../../workflows/runbook/verdict-query.ts';

describe('a query', () => {
  type Limits = Omit<Extract<Check, { kind: 'query' }>, 'kind' | 'name' | 'query'>;
  const said = (limits: Limits, candidate: QueryResult, stable: QueryResult | null = null) => {
    const finding = judgeQuery({ kind: 'query', name: 'lag', query: 'q', ...limits }, candidate, stable, 'asked');
    expect(finding).toMatchObject({ name: 'lag', source: 'asked' });
    return `${finding.word}: ${finding.sentence}`;
  };
  const value = (number: number) => ({ value: number });

  test.for([
    [{ atMost: 1_000 }, value(1_000), null, 'passed: lag is 1000, the limit is 1000'],
    [{ atMost: 1_000 }, value(1_200), null, 'failed: lag is 1200, the limit is 1000'],
    [{ atLeast: 5 }, value(4.9), null, 'failed: lag is 4.9, at least 5 is wanted'],
    [{ worseBy: 0.25 }, value(130), value(100), 'failed: lag is 130, stable 100: more than 25% worse'],
    [{ worseBy: 0.25 }, value(125), value(100), 'passed: lag is 125, stable 100'],
    [
      { worseBy: 0.25, atLeast: 1 },
      value(70),
      value(100),
      'failed: lag is 70, stable 100: more than 25% worse, at least 1 is wanted',
    ],
    [{ worseBy: 0.25 }, value(3), value(0), 'inconclusive: lag is 3, stable 0: 25% of 0 says nothing, give a limit'],
    [{ worseBy: 0.25 }, value(0), value(0), 'passed: lag is 0, stable 0'],
    [{ worseBy: 0.25 }, value(3), null, 'passed: lag is 3, not compared: there is no stable'],
    [
      { worseBy: 0.25 },
      value(3),
      { none: 'no series' },
      'inconclusive: lag is 3, stable has no series: nothing to compare with',
    ],
    [
      { atMost: 9 },
      { none: 'no series' },
      null,
      'inconclusive: lag has no series for the candidate: no data is neither pass nor fail',
    ],
    [
      { atMost: 9 },
      { none: '2 series' },
      null,
      'inconclusive: lag has 2 series for the candidate: no data is neither pass nor fail',
    ],
    [
      { atMost: 9 },
      { none: 'NaN' },
      null,
      'inconclusive: lag has NaN for the candidate: no data is neither pass nor fail',
    ],
  ] as const)('%j: %j beside %j', ([limits, candidate, stable, sentence]) => {
    expect(said(limits, candidate, stable)).toBe(sentence);
  });
});

describe('error lines', () => {
  const printed = (lines: number, errors: Record<string, number> = {}): Printed => ({
    lines,
    errors: new Map(Object.entries(errors)),
  });
  const check = { kind: 'logs', atMost: 2 } as const;

  test('that stable has too are none of the candidate', () => {
    const both = { 'no route to <ip>': 90 };
    expect(judgeLogs(check, printed(900, both), printed(900, { 'no route to <ip>': 1 }))).toMatchObject({
      word: 'passed',
      candidate: 0,
    });
  });

  test('that are new fail once they come too often, and are told', () => {
    const finding = judgeLogs(check, printed(90, { 'cannot read <text>': 3, other: 1 }), printed(90));
    expect(finding).toMatchObject({
      word: 'failed',
      candidate: 3,
      stable: 0,
      source: '3× cannot read <text>; 1× other',
    });
    expect(finding.sentence).toBe(
      '2 kinds of error lines that stable does not have, up to 3×, the limit is 2×: cannot read <text>',
    );
    expect(judgeLogs(check, printed(90, { other: 2 }), printed(90)).word).toBe('passed');
  });

  test('of a candidate that prints nothing say nothing', () => {
    expect(judgeLogs(check, printed(0), printed(500)).word).toBe('inconclusive');
    expect(judgeLogs(check, printed(0), printed(3)).word).toBe('passed');
  });

  test('are left out, visibly, where nothing else runs', () => {
    expect(judgeLogs(check, printed(9, { new: 9 }), null)).toMatchObject({
      word: 'passed',
      sentence: 'error lines are not compared: there is no stable',
    });
  });
});

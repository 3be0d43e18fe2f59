import { expect, test } from 'vitest';
import { analysisOf } from '../../../workflows/runbook/analysis.ts';

const defaults = { forMs: 60_000, minSamples: 50, inconclusive: 'hold' } as const;

test('a whole analysis is written in one place', () => {
  const written = {
    for: '5m',
    errors: '< 1%',
    p95: '< 300ms',
    compare: { errors: '0.5%', p95: '25%', p99: '50%' },
    queries: [
      { name: 'lag', query: 'sum(queue_lag{version="{version}"})', limit: '< 1000', compare: '25%' },
      { name: 'workers', query: 'workers', limit: '> 5' },
    ],
    logs: { new: 0 },
    samples: 100,
    inconclusive: 'extend',
  } as const;
  expect(analysisOf({ ...written, queries: [...written.queries] }, defaults)).toEqual({
    forMs: 300_000,
    minSamples: 100,
    inconclusive: 'extend',
    checks: [
      { kind: 'errors', atMost: 0.01, worseBy: 0.005 },
      { kind: 'latency', quantile: 0.95, atMost: 300, worseBy: 0.25 },
      { kind: 'latency', quantile: 0.99, worseBy: 0.5 },
      { kind: 'query', name: 'lag', query: 'sum(queue_lag{version="{version}"})', atMost: 1_000, worseBy: 0.25 },
      { kind: 'query', name: 'workers', query: 'workers', atLeast: 5 },
      { kind: 'logs', atMost: 0 },
    ],
  });
});

test('errors are looked at without a limit too, so that too little data is told', () => {
  expect(analysisOf({}, defaults)).toEqual({ ...defaults, checks: [{ kind: 'errors' }] });
});

test('a query that nothing can judge is refused', () => {
  const query = (more: object) => () => analysisOf({ queries: [{ name: 'lag', query: 'lag', ...more }] }, defaults);
  expect(query({})).toThrow('the query "lag" has neither a limit nor a comparison');
  expect(query({ compare: '25%' })).toThrow('asks the same of both sides: name {version} or {slot} in it');
});

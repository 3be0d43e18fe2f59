import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeByQuery } from '../../../activities/analysis/queries.ts';
import { createSources } from '../../../activities/analysis/sources.ts';
import { type MetricsPort, metricsKinds } from '../../../activities/metrics/index.ts';
import type { Check } from '../../../workflows/runbook/checks.ts';
import { type RunningPrometheus, startPrometheus } from '../../support/prometheus.ts';

/** What two versions of a service say of themselves. */
const exposition = `
queue_lag{version="1",slot="blue"} 100
queue_lag{version="2",slot="green"} 130
work_seconds_sum{version="2"} 0
work_seconds_count{version="2"} 0
`;

const service = createServer((_, response) => response.end(exposition));
const asked: (string | undefined)[] = [];
let folder: string;
let running: RunningPrometheus;
let metrics: MetricsPort;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-prometheus-'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const { port } = service.address() as AddressInfo;
  const configuration = `
global: { scrape_interval: 1s }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]
`;
  running = await startPrometheus({ configuration, folder });
  metrics = metricsOf({ url: running.url });
  while ('none' in (await metrics.ask('count(queue_lag) == 2', Date.now()))) await sleep(100);
});
afterAll(async () => {
  await running?.kill();
  service.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

function metricsOf(options: { url: string; token?: string }): MetricsPort {
  const secrets = { resolve: async () => ({ PROMETHEUS_TOKEN: 'abc' }) };
  return metricsKinds.prometheus!.create({ secrets }, options);
}

const sides = { candidate: { version: '2', slots: ['green'] }, stable: { version: '1', slots: ['blue'] } };
const lag = { kind: 'query', name: 'lag', query: 'sum(queue_lag{version="{version}",slot=~"{slot}"})' } as const;
const judged = (changes: Partial<Extract<Check, { kind: 'query' }>>) =>
  judgeByQuery({ ...lag, ...changes }, metrics, { ...sides, from: Date.now() - 90_000, to: Date.now() });

test('each side is asked for by its version and slot, and compared', async () => {
  expect(await judged({ worseBy: 0.25, atMost: 1_000 })).toEqual({
    name: 'lag',
    word: 'failed',
    sentence: 'lag is 130, stable 100: more than 25% worse, the limit is 1000',
    candidate: 130,
    stable: 100,
    source: 'sum(queue_lag{version="2",slot=~"green"})',
  });
  expect(await judged({ worseBy: 0.5 })).toMatchObject({ word: 'passed', candidate: 130, stable: 100 });
  expect(await judged({ atMost: 129 })).toMatchObject({ word: 'failed', stable: null });
});

test('{window} is the time watched so far', async () => {
  expect(await judged({ query: 'max_over_time(queue_lag{version="2"}[{window}])', atMost: 130 })).toMatchObject({
    word: 'passed',
    source: 'max_over_time(queue_lag{version="2"}[90s])',
  });
});

test.for([
  ['sum(queue_lag{version="3"})', 'lag has no series for the candidate'],
  ['queue_lag', 'lag has 2 series instead of one number for the candidate'],
  ['sum(work_seconds_sum / work_seconds_count)', 'lag has NaN for the candidate'],
  ['1 / scalar(sum(work_seconds_count))', 'lag has +Inf for the candidate'],
])('%s is no data, neither a pass nor a fail', async ([query, words]) => {
  const finding = await judged({ query: query!, atMost: 1 });
  expect(finding).toMatchObject({ word: 'inconclusive', candidate: null });
  expect(finding.sentence).toContain(words);
});

test('a scalar is a number too', async () => {
  expect(await judged({ query: 'scalar(sum(queue_lag))', atMost: 230 })).toMatchObject({
    word: 'passed',
    candidate: 230,
  });
});

test('a query that cannot be read is refused, with what Prometheus says', async () => {
  await expect(metrics.ask('sum(', Date.now())).rejects.toMatchObject({ type: 'QueryRefused', nonRetryable: true });
  await expect(metrics.ask('sum(', Date.now())).rejects.toThrow(/parse error.*to sum\(\. Correct the query/);
});

test('a query fails a watch early only at the third look in a row', async () => {
  const sources = createSources({ instances: { logs: async () => [] }, metrics, checks: [{ ...lag, atMost: 129 }] });
  const from = Date.now();
  const found: number[] = [];
  for (const seconds of [1, 15, 16, 30, 44, 45]) {
    found.push((await sources.early({ ...sides, from, to: from + seconds * 1_000 })).length);
  }
  expect(found).toEqual([0, 0, 0, 0, 0, 1]);
});

test('nobody there is worth another try, and the query is named', async () => {
  const closed = metricsOf({ url: 'http://127.0.0.1:9' });
  await expect(closed.ask('sum(queue_lag)', Date.now())).rejects.toMatchObject({ type: 'MetricsUnreachable' });
  await expect(closed.ask('sum(queue_lag)', Date.now())).rejects.toThrow(
    /^Prometheus does not answer at http:\/\/127\.0\.0\.1:9\/api\/v1\/query \(ECONNREFUSED\), asked for sum\(queue_lag\)\./,
  );
});

test('the token is sent, and a path prefix is kept', async () => {
  const gate = createServer((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  const { port } = gate.address() as AddressInfo;
  const prefixed = metricsOf({ url: `http://127.0.0.1:${port}/metrics/prod`, token: 'PROMETHEUS_TOKEN' });
  expect(await prefixed.ask('up', Date.now())).toEqual({ none: 'no series' });
  gate.close();
  expect(asked).toEqual(['/metrics/prod/api/v1/query', 'Bearer abc']);
});

test('an address with a password in it is refused', () => {
  const { options } = metricsKinds.prometheus!;
  expect(options.safeParse({ url: 'http://ann:secret@prometheus:9090' }).success).toBe(false);
  expect(options.safeParse({ url: 'https://prometheus/prod' }).success).toBe(true);
});

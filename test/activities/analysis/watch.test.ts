import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watch } from '../../../activities/analysis/watch.ts';
import type { Analysis } from '../../../workflows/runbook/checks.ts';
import { askFront } from '../../support/front-load.ts';
import { nginx } from '../../support/proxies/nginx.ts';
import type { ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';

let folder: string;
let slots: ProxySlots;
let proxy: ProxyUnderTest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-watch-'));
  slots = await startSlots(['blue', 'green']);
  proxy = await nginx.start({ folder, ports: slots.ports, configured: true });
});
afterAll(async () => {
  await proxy?.kill();
  await slots?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const analysis: Analysis = {
  forMs: 4_000,
  minSamples: 20,
  checks: [{ kind: 'errors', atMost: 0.01, worseBy: 0.005 }],
  inconclusive: 'hold',
};

function watchGreen(since: number, changes: Partial<Analysis> = {}, signal = new AbortController().signal) {
  return watch({
    traffic: proxy.traffic,
    instances: { logs: async () => [] },
    metrics: null,
    candidate: { version: '2', slots: ['green'] },
    stable: { version: '1', slots: ['blue'] },
    analysis: { ...analysis, ...changes },
    since,
    signal,
  });
}

async function send(slot: 'blue' | 'green', count: number, path = '/'): Promise<void> {
  await proxy.traffic.setWeights({ blue: Number(slot === 'blue'), green: Number(slot === 'green') });
  let left = count;
  const client = async () => {
    while (left-- > 0) await askFront(proxy.traffic.front() + path);
  };
  await Promise.all(Array.from({ length: 10 }, client));
}

test('a good candidate passes when its window is over, and the same window gives the same verdict to a retry', async () => {
  const since = Date.now();
  await send('blue', 40);
  await send('green', 30);
  const verdict = await watchGreen(since);
  expect(Date.now() - since).toBeGreaterThanOrEqual(4_000);
  expect(verdict).toMatchObject({
    word: 'passed',
    sentence: '4s: 0 of 30 answers failed (0%), the limit is 1%, stable 0 of 40 (0%)',
    candidate: { requests: 30, errors: 0, windowMs: 4_000 },
    stable: { requests: 40, errors: 0, windowMs: 4_000 },
  });
  await send('green', 5, '/?status=500');
  expect(await watchGreen(since)).toEqual(verdict);
});

test('a candidate that answers with errors fails long before its window is over', async () => {
  const since = Date.now();
  await send('green', 20, '/?status=500');
  const verdict = await watchGreen(since, { forMs: 600_000 });
  expect(verdict.word).toBe('failed');
  expect(verdict.sentence).toMatch(/^20 of 20 answers failed \(100%\), the limit is 1%, stopped after .* of 10m$/);
});

test('what stable answers with in the same minutes is no fault of the candidate', async () => {
  const since = Date.now();
  await send('blue', 60, '/?status=500');
  await send('green', 30, '/?status=500');
  const verdict = await watchGreen(since, { checks: [{ kind: 'errors', worseBy: 0.005 }] });
  expect(verdict).toMatchObject({ word: 'passed', candidate: { errors: 30 }, stable: { errors: 60 } });
});

test('2% of errors beside 0.2% are found in the first 1,000 requests of each', async () => {
  const since = Date.now();
  await send('blue', 998);
  await send('blue', 2, '/?status=500');
  await send('green', 980);
  await send('green', 20, '/?status=500');
  // nginx writes its log after the answer is out.
  const forMs = Date.now() + 50 - since;
  const verdict = await watchGreen(since, { forMs, checks: [{ kind: 'errors', worseBy: 0.005 }] });
  expect(verdict).toMatchObject({ word: 'failed', candidate: { requests: 1_000 }, stable: { requests: 1_000 } });
  expect(verdict.sentence).toMatch(
    /^20 of 1000 answers failed \(2%\), stable 2 of 1000 \(0.2%\): more than 0.5% worse/,
  );
});

test('too few requests are neither a pass nor a fail', async () => {
  const since = Date.now();
  await send('green', 5, '/?status=500');
  expect(await watchGreen(since, { forMs: 2_000 })).toMatchObject({
    word: 'inconclusive',
    sentence: '5 requests in 2s are too little data: 20 are needed',
    findings: [{ name: 'errors', word: 'inconclusive', candidate: 1 }],
  });
});

test('with `extend` a window goes on until there is enough', async () => {
  const since = Date.now();
  await send('green', 15);
  const watched = watchGreen(since, { forMs: 1_500, inconclusive: 'extend' });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await send('green', 15);
  expect(await watched).toMatchObject({ word: 'passed', candidate: { requests: 30 } });
});

test('with `extend` it goes on three times at most, and a retry after that answers at once', async () => {
  const since = Date.now();
  const verdict = await watchGreen(since, { forMs: 1_000, inconclusive: 'extend' });
  expect(verdict).toMatchObject({ word: 'inconclusive', candidate: { windowMs: 4_000 } });
  expect(Date.now() - since).toBeGreaterThanOrEqual(4_000);
  expect(await watchGreen(since, { forMs: 1_000, inconclusive: 'extend' })).toEqual(verdict);
});

test('a cancelled watch ends at once', async () => {
  await expect(watchGreen(Date.now(), {}, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
});

test('a query that nobody can be asked for is an errored watch, named', async () => {
  const verdict = await watchGreen(Date.now() - 10_000, {
    checks: [{ kind: 'query', name: 'lag', query: 'lag', atMost: 1 }],
  });
  expect(verdict).toMatchObject({ word: 'errored', findings: [{ name: 'lag', word: 'errored' }] });
  expect(verdict.sentence).toMatch(/^measuring failed 6 times in a row: lag: nobody can be asked for lag/);
});

test('a log that cannot be read is an errored watch, with the reason', async () => {
  rmSync(join(folder, 'access.log'));
  const verdict = await watchGreen(Date.now() - 10_000);
  expect(verdict).toMatchObject({ word: 'errored', candidate: null });
  expect(verdict.sentence).toMatch(/^measuring failed 6 times in a row: traffic: There is no access log/);
});

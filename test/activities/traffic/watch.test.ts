import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../../activities/checks/ask.ts';
import { watch } from '../../../activities/traffic/watch.ts';
import type { WatchLimits } from '../../../workflows/runbook/checks.ts';
import { type Front, openFront } from './front.ts';

let front: Front;
beforeAll(async () => {
  front = await openFront();
});
afterAll(() => front?.close());

const signal = new AbortController().signal;
const limits: WatchLimits = { forMs: 1_500, errors: 0.01, minSamples: 20, inconclusive: 'hold' };
const watchBlue = (since: number, changes: Partial<WatchLimits> = {}) =>
  watch({ traffic: front.traffic, slot: 'blue', limits: { ...limits, ...changes }, since, signal });

async function send(count: number, path: string): Promise<void> {
  for (let n = 0; n < count; n++) await ask(front.url + path, { timeoutMs: 10_000 });
}

test('a good slot passes when its window is over, and the same window gives the same verdict to a retry', async () => {
  const since = Date.now();
  await send(30, '/');
  const verdict = await watchBlue(since, { forMs: 4_000 });
  expect(Date.now() - since).toBeGreaterThanOrEqual(4_000);
  expect(verdict).toMatchObject({ word: 'passed', measurement: { requests: 30, errors: 0, windowMs: 4_000 } });
  await send(5, '/?status=500');
  expect(await watchBlue(since, { forMs: 4_000 })).toEqual(verdict);
});

test('a slot that answers with errors fails long before its window is over', async () => {
  const since = Date.now();
  await send(20, '/?status=500');
  const verdict = await watchBlue(since, { forMs: 3_600_000 });
  expect(verdict.word).toBe('failed');
  expect(verdict.sentence).toMatch(/^20 of 20 answers failed \(100%\), the limit is 1%; stopped after .* of 1h$/);
});

test('too few requests are neither a pass nor a fail', async () => {
  const since = Date.now();
  await send(3, '/?status=500');
  const verdict = await watchBlue(since, { forMs: 4_000 });
  expect(verdict).toMatchObject({
    word: 'inconclusive',
    sentence: '3 requests in 4s are too little data: 20 are needed',
  });
});

test('a log that cannot be read is an errored watch, with the reason', async () => {
  rmSync(join(front.folder, 'access.log'));
  const verdict = await watchBlue(Date.now() - 10_000);
  expect(verdict).toMatchObject({ word: 'errored', measurement: null });
  expect(verdict.sentence).toMatch(/^measuring failed 6 times in a row: Cannot read Caddy's access log: ENOENT/);
});

test('a cancelled watch ends at once', async () => {
  const watched = watch({
    traffic: front.traffic,
    slot: 'blue',
    limits,
    since: Date.now(),
    signal: AbortSignal.abort(),
  });
  await expect(watched).rejects.toMatchObject({ name: 'AbortError' });
});

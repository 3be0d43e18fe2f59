import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask } from '../../../activities/checks/ask.ts';
import { drain } from '../../../activities/traffic/drain.ts';
import { type Slot, slots } from '../../../workflows/runbook/plan.ts';
import { type Front, openFront } from './front.ts';
import { startLoad } from './load.ts';

const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };
const signal = new AbortController().signal;
const get = (url: string) => ask(url, { timeoutMs: 10_000 });

let front: Front;
afterEach(() => front?.close());

test('switching there and back under load loses no request, and each new one goes to the wanted slot', async () => {
  front = await openFront();
  const load = startLoad(front.url, 12);
  for (let turn = 0; turn < 6; turn++) {
    await front.traffic.setWeights(turn % 2 === 0 ? toGreen : toBlue);
    const served = await Promise.all([1, 2, 3, 4].map(() => get(front.url)));
    expect(served.map(({ body }) => body)).toEqual(Array(4).fill(turn % 2 === 0 ? 'green' : 'blue'));
    await Promise.all([1, 2, 3, 4, 5].map((n) => get(`${front.url}/?ms=${n * 20}`)));
  }
  const { answered, lost } = await load.stop();
  expect(lost).toEqual([]);
  expect(answered).toBeGreaterThan(100);
});

test('a request in flight ends on the old slot, and the drain waits for it', async () => {
  front = await openFront();
  const slow = get(`${front.url}/?ms=1500`);
  await until(async () => (await front.traffic.inFlight('blue')) === 1);
  await front.traffic.setWeights(toGreen);
  let ended = false;
  slow.then(() => {
    ended = true;
  });
  const evidence = await drain({ traffic: front.traffic, slot: 'blue', drainMs: 30_000, signal });
  expect(ended).toBe(true);
  expect((await slow).body).toBe('blue');
  expect(evidence).toMatchObject({ mostInFlight: 1 });
  expect(await front.traffic.inFlight('green')).toBe(0);
});

test('a slot that does not get empty in time is not drained, and the message says what to do', async () => {
  front = await openFront();
  const slow = get(`${front.url}/?ms=2500`);
  await until(async () => (await front.traffic.inFlight('blue')) === 1);
  const drained = drain({ traffic: front.traffic, slot: 'blue', drainMs: 100, signal });
  await expect(drained).rejects.toMatchObject({
    type: 'NotDrained',
    nonRetryable: true,
    message: expect.stringMatching(/^1 request is still in flight to blue after 100ms; blue keeps running\. Wait/),
  });
  await slow;
});

test('before a slot is chosen nobody is served; then blue and green are told apart', async () => {
  front = await openFront(undefined, { chosen: false });
  expect(await front.traffic.observe()).toBeNull();
  expect((await get(front.url)).status).toBe(503);
  await front.traffic.setWeights(toGreen);
  expect(await front.traffic.observe()).toEqual(toGreen);
  await front.traffic.setWeights(toBlue);
  expect(await front.traffic.observe()).toEqual(toBlue);
});

test('setting the same weights twice, and from two attempts at once, ends in these weights', async () => {
  front = await openFront();
  await Promise.all([front.traffic.setWeights(toGreen), front.traffic.setWeights(toGreen)]);
  await front.traffic.setWeights(toGreen);
  expect(await front.traffic.observe()).toEqual(toGreen);
});

test('a switch outlives the death of Caddy', async () => {
  front = await openFront();
  await front.traffic.setWeights(toGreen);
  await front.restart(front.config);
  expect((await get(front.url)).body).toBe('green');
});

test('shares between the slots are refused', async () => {
  front = await openFront();
  await expect(front.traffic.setWeights({ blue: 0.9, green: 0.1 })).rejects.toMatchObject({
    type: 'UnsupportedShare',
    nonRetryable: true,
  });
  expect(await front.traffic.observe()).toEqual(toBlue);
});

test('what each slot answered is measured, with its errors and refused connections, and nothing of our own', async () => {
  front = await openFront();
  const from = Date.now();
  for (const path of ['/', '/?ms=60', '/?status=404', '/?status=500', '/?status=503']) await get(front.url + path);
  await front.traffic.setWeights(toGreen);
  for (let n = 0; n < 3; n++) await get(front.url);
  front.servers.green.close().closeAllConnections();
  expect((await get(front.url)).status).toBe(502);
  await until(async () => (await both(from, Date.now() + 1)).green.requests === 4);
  const measured = await both(from, Date.now() + 1);
  expect(measured.blue).toMatchObject({ requests: 5, errors: 2 });
  expect(measured.green).toMatchObject({ requests: 4, errors: 1 });
  expect(measured.blue.p95Ms).toBeGreaterThanOrEqual(60);
  expect(measured.blue.p50Ms).toBeLessThanOrEqual(measured.blue.p95Ms!);
  expect(await both(from - 60_000, from)).toEqual({
    blue: { requests: 0, errors: 0, p50Ms: null, p95Ms: null, windowMs: 60_000 },
    green: { requests: 0, errors: 0, p50Ms: null, p95Ms: null, windowMs: 60_000 },
  });
});

test('requests are still counted after Caddy has rolled its log several times', async () => {
  front = await openFront((config) => config.replace('roll_size 100MiB', 'roll_size 1MiB'));
  const from = Date.now();
  const long = `${front.url}/?text=${'x'.repeat(7_000)}`;
  for (let n = 0; n < 50; n++) await Promise.all(Array.from({ length: 8 }, () => get(long)));
  await until(async () => (await both(from, Date.now() + 1)).blue.requests === 400);
  expect(readFileSync(join(front.folder, 'access.log')).length).toBeLessThan(2 ** 20);
});

test('a Caddy that is ready lacks nothing', async () => {
  front = await openFront();
  expect(await front.traffic.missing()).toEqual([]);
});

test('a Caddy with another site is told everything it lacks, and what to paste', async () => {
  front = await openFront((config) => `${config.split('\tlog {')[0]}\trespond hi\n}\n`);
  const lacks = await front.traffic.missing();
  expect(lacks).toHaveLength(6);
  expect(lacks[0]).toMatch(/^No route of Caddy goes to 127\.0\.0\.1:\d+ and says `log_append slot blue`\.$/);
  expect(lacks[1]).toContain('log_append slot green');
  expect(lacks[2]).toMatch(/asks for the file green in .*flags/);
  expect(lacks[3]).toMatch(/asks for the file managed in .*flags/);
  expect(lacks[4]).toMatch(/writes no access log to .*access\.log/);
  expect(lacks[5]).toContain(front.config.split('\n\n')[1]);
  const notReady = { type: 'ProxyNotReady', message: expect.stringContaining(lacks[5]!) };
  await expect(front.traffic.observe()).rejects.toMatchObject(notReady);
  await expect(front.traffic.setWeights(toBlue)).rejects.toMatchObject(notReady);
  await expect(front.traffic.inFlight('blue')).rejects.toMatchObject({ type: 'ProxyNotReady' });
});

test('a log in another format or compressed is told', async () => {
  front = await openFront((config) => config.replace('roll_uncompressed', '').replace('format json', 'format console'));
  expect((await front.traffic.missing()).slice(0, 2)).toEqual([
    expect.stringContaining('`format json`'),
    expect.stringContaining('`roll_uncompressed`'),
  ]);
});

test('a Caddy that looks into another folder is told, and never counts as switched', async () => {
  front = await openFront((config) => config.replace('/flags', '/elsewhere'));
  expect((await front.traffic.missing())[0]).toContain('it would never switch');
  await expect(front.traffic.setWeights(toGreen)).rejects.toMatchObject({ type: 'NotSwitched', nonRetryable: false });
});

test('a Caddy that is down is worth another try, and the message says where nothing answered', async () => {
  front = await openFront();
  await front.caddy.kill();
  const down = { type: 'ProxyUnreachable', nonRetryable: false, message: expect.stringContaining('(ECONNREFUSED)') };
  await expect(front.traffic.observe()).rejects.toMatchObject(down);
  await expect(front.traffic.setWeights(toGreen)).rejects.toMatchObject(down);
  await expect(front.traffic.inFlight('blue')).rejects.toMatchObject(down);
  const drained = drain({ traffic: front.traffic, slot: 'blue', drainMs: 100, signal });
  await expect(drained).rejects.toMatchObject(down);
  expect((await front.traffic.missing())[0]).toMatch(
    /^Caddy does not answer at http.*is it running\? Start it: caddy run --config Caddyfile$/,
  );
});

async function both(from: number, to: number) {
  const [blue, green] = await Promise.all(slots.map((slot: Slot) => front.traffic.measure(slot, from, to)));
  return { blue: blue!, green: green! };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

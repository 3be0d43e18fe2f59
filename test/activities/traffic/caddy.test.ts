import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask } from '../../../activities/checks/ask.ts';
import { drain } from '../../../activities/traffic/drain.ts';
import { freePort } from '../../../parts/ports.ts';
import { bucketsFile, keyHeader } from '../../../workflows/runbook/caddyfile.ts';
import { type Front, openFront } from './front.ts';

const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };
const signal = new AbortController().signal;
const get = (url: string) => ask(url, { timeoutMs: 10_000 });

let front: Front;
afterEach(() => front?.close());

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
  front = await openFront({ weights: null });
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

test('shares that are no whole percents are refused', async () => {
  front = await openFront();
  await expect(front.traffic.setWeights({ blue: 0.995, green: 0.005 })).rejects.toMatchObject({
    type: 'UnsupportedShare',
    nonRetryable: true,
    message: 'The proxy cannot share traffic as blue 0.995, green 0.005: say whole percents that sum to 100.',
  });
  expect(await front.traffic.observe()).toEqual(toBlue);
});

test('while two slots share the traffic, each is counted by itself', async () => {
  front = await openFront({ sticky: { header: 'X-User' }, weights: { blue: 0.5, green: 0.5 } });
  const users = Array.from({ length: 20 }, (_, n) => n);
  const slow = users.map((n) => ask(`${front.url}/?ms=1500`, { timeoutMs: 10_000, headers: { 'X-User': `${n}` } }));
  await until(async () => (await front.traffic.inFlight('blue')) + (await front.traffic.inFlight('green')) === 20);
  const [blue, green] = [await front.traffic.inFlight('blue'), await front.traffic.inFlight('green')];
  const served = (await Promise.all(slow)).map(({ body }) => body);
  expect([blue, green]).toEqual(['blue', 'green'].map((slot) => served.filter((name) => name === slot).length));
  expect(await front.traffic.inFlight('blue')).toBe(0);
});

test('a request is counted also where another site of the same Caddy has the slot as its upstream', async () => {
  const other = await freePort();
  const change = (config: string) => {
    const port = /\{bucket\.127-0-0-1-(\d+)\.00\}/.exec(config)![1];
    return `${config}\nhttp://:${other} {\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:${port}\n}\n`;
  };
  front = await openFront({ change });
  const slow = get(`${front.url}/?ms=500`);
  await until(async () => (await front.traffic.inFlight('blue')) === 1);
  expect(await front.traffic.inFlight('green')).toBe(1);
  await slow;
  expect(await front.traffic.inFlight('blue')).toBe(0);
  expect(await front.traffic.inFlight('green')).toBe(0);
});

test('the header that carries the key is not taken from clients, and does not reach the service', async () => {
  front = await openFront({ sticky: { cookie: 'session' }, weights: { blue: 0.5, green: 0.5 } });
  const slots = new Set<string>();
  for (let n = 0; n < 40; n++) {
    const answer = await fetch(front.url, { headers: { [keyHeader]: 'me' } });
    expect(answer.headers.get('x-got')).not.toContain(keyHeader.toLowerCase());
    slots.add(await answer.text());
  }
  expect(slots.size).toBe(2);
});

test("Caddy's own cookie is set once, beside those of the service", async () => {
  front = await openFront({ sticky: { ownCookie: 'release' } });
  const first = (await fetch(front.url)).headers.getSetCookie();
  expect(first).toEqual([
    expect.stringMatching(/^release=[0-9a-f-]{36}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/),
    'service=1',
  ]);
  const again = await fetch(front.url, { headers: { cookie: first[0]!.split(';')[0]! } });
  expect(again.headers.getSetCookie()).toEqual(['service=1']);
});

test('a Caddy that serves a port which is no slot is told, and nothing is taken for undeployed', async () => {
  front = await openFront();
  writeFileSync(join(front.folder, 'state', bucketsFile), Array(100).fill('127.0.0.1:9').join(' '));
  await expect(front.traffic.observe()).rejects.toMatchObject({
    type: 'ProxyNotReady',
    message: expect.stringMatching(
      /buckets says 127\.0\.0\.1:9\. Put them back into its `ports`, or among its machines\.$/,
    ),
  });
});

test('what each slot answered is measured, with its errors and refused connections, and nothing of our own', async () => {
  front = await openFront();
  const from = Date.now();
  for (const path of ['/', '/?ms=60', '/?status=404', '/?status=500', '/?status=503']) await get(front.url + path);
  await front.traffic.setWeights(toGreen);
  for (let n = 0; n < 3; n++) await get(front.url);
  front.servers.green!.close().closeAllConnections();
  expect((await get(front.url)).status).toBe(502);
  await until(async () => (await both(from, Date.now() + 1)).green.requests === 4);
  const measured = await both(from, Date.now() + 1);
  expect(measured.blue).toMatchObject({ requests: 5, errors: 2 });
  expect(measured.green).toMatchObject({ requests: 4, errors: 1 });
  expect(measured.blue.p95Ms).toBeGreaterThanOrEqual(60);
  expect(measured.blue.p50Ms).toBeLessThanOrEqual(measured.blue.p95Ms!);
  expect(await both(from - 60_000, from)).toEqual({
    blue: { requests: 0, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null, windowMs: 60_000 },
    green: { requests: 0, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null, windowMs: 60_000 },
  });
});

test('requests are still counted after Caddy has rolled its log several times', async () => {
  front = await openFront({ change: (config) => config.replace('roll_size 100MiB', 'roll_size 1MiB') });
  const from = Date.now();
  const long = `${front.url}/?text=${'x'.repeat(7_000)}`;
  for (let n = 0; n < 50; n++) await Promise.all(Array.from({ length: 8 }, () => get(long)));
  await until(async () => (await both(from, Date.now() + 1)).blue.requests === 400);
  expect(readFileSync(join(front.folder, 'access.log')).length).toBeLessThan(2 ** 20);
});

test.for([undefined, 'address', { header: 'X-User' }, { cookie: 'connect.sid' }, { ownCookie: 'release' }] as const)(
  'a Caddy with the block for %j lacks nothing',
  async (sticky) => {
    front = await openFront(sticky && { sticky });
    expect(await front.traffic.missing()).toEqual([]);
  },
);

test('a Caddy with another site is told everything it lacks, and what to paste', async () => {
  const change = (config: string) => `${config.split('\tlog {')[0]}\trespond hi\n}\n`;
  front = await openFront({ sticky: { ownCookie: 'release' }, change });
  const lacks = await front.traffic.missing();
  expect(lacks).toEqual([
    expect.stringMatching(/^No route of Caddy asks for the file .*buckets: a first version would be served/),
    expect.stringMatching(/^No `map` of Caddy reads from .*buckets/),
    'No `reverse_proxy` of Caddy has the 100 buckets as upstreams and chooses one by the cookie release.',
    'Caddy does not choose by the cookie release: users would change their version.',
    'Caddy does not set the cookie release: users would change their version.',
    expect.stringContaining('nothing could be measured of a slot'),
    expect.stringMatching(/^Caddy writes no access log to .*access\.log/),
    expect.stringContaining(front.config.slice(front.config.indexOf('http://'))),
  ]);
  const notReady = { type: 'ProxyNotReady', message: expect.stringContaining(lacks.at(-1)!) };
  await expect(front.traffic.observe()).rejects.toMatchObject(notReady);
  await expect(front.traffic.setWeights(toBlue)).rejects.toMatchObject(notReady);
  await expect(front.traffic.inFlight('blue')).rejects.toMatchObject({ type: 'ProxyNotReady' });
});

test('a Caddy that chooses by another cookie is told', async () => {
  front = await openFront({
    sticky: { cookie: 'session' },
    change: (config) => config.replace('cookie.session', 'cookie.other'),
  });
  expect((await front.traffic.missing())[0]).toBe(
    'Caddy does not choose by the cookie session: users would change their version.',
  );
});

test('a log in another format or compressed is told', async () => {
  front = await openFront({
    change: (config) => config.replace('roll_uncompressed', '').replace('format json', 'format console'),
  });
  expect((await front.traffic.missing()).slice(0, 2)).toEqual([
    expect.stringContaining('`format json`'),
    expect.stringContaining('`roll_uncompressed`'),
  ]);
});

test('a Caddy that looks into another folder is told, and never counts as switched', async () => {
  front = await openFront({ change: (config) => config.replaceAll('/state', '/elsewhere') });
  expect((await front.traffic.missing())[0]).toContain('would be served before its probe');
  await expect(front.traffic.setWeights(toGreen)).rejects.toMatchObject({ type: 'NotSwitched', nonRetryable: false });
});

test('a Caddy that is down is worth another try, and the message says where nothing answered', async () => {
  front = await openFront();
  await front.caddy.kill();
  const down = {
    type: 'ProxyUnreachable',
    nonRetryable: false,
    message: expect.stringContaining('(ECONNREFUSED, on this machine)'),
  };
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
  const [blue, green] = await Promise.all(['blue', 'green'].map((slot) => front.traffic.measure([slot], from, to)));
  return { blue: blue!, green: green! };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

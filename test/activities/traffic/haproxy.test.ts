import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { runtimeAt } from '../../../activities/traffic/haproxy-runtime.ts';
import { freePort } from '../../../parts/ports.ts';
import type { TrafficPort } from '../../../workflows/ports.ts';
import { bucketsOf } from '../../../workflows/runbook/buckets.ts';
import { haproxyGlobal, haproxyMap, haproxySections } from '../../../workflows/runbook/haproxy-cfg.ts';
import { placesOf } from '../../../workflows/runbook/places.ts';
import type { Slot } from '../../../workflows/runbook/plan.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { type RunningHaproxy, startHaproxy } from '../../support/haproxy.ts';
import { fillRing } from '../../support/haproxy-ring.ts';
import { trafficPort } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';
import { openWebSocket, startWebSocketServer } from '../../support/websocket-server.ts';

const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };
const half = { blue: 0.5, green: 0.5 };
const places = placesOf({ hosts: {}, ports: { blue: 1, green: 2 } });
const mapOf = (weights: Record<Slot, number>) => haproxyMap(bucketsOf(weights, places));

const same = (text: string) => text;
const host = createLocalHost();

let folder: string;
let slots: ProxySlots;
let running: RunningHaproxy;
afterEach(async () => {
  await running?.kill();
  await slots?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Service {
  traffic: TrafficPort;
  url: string;
  map: string;
  sections: string;
}

/** One HAProxy before several services, which have the same two instances. `blue`: the port of another one. */
async function open({ names = ['shop'], tcp = false, change = same, blue = 0 } = {}) {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-haproxy-'));
  slots = await startSlots(['blue', 'green']);
  if (blue) slots.ports.blue = blue;
  const socket = tcp ? `127.0.0.1:${await freePort()}` : join(folder, 'haproxy.sock');
  const services: Service[] = [];
  for (const name of names) services.push(await serviceOf(name, socket));
  const sections = services.map((service) => service.sections).join('');
  running = await startHaproxy({ configuration: change(haproxyGlobal(socket) + sections), folder });
  return { ...services[0]!, services, socket };
}

async function serviceOf(name: string, socket: string): Promise<Service> {
  const options = { front: `http://127.0.0.1:${await freePort()}`, socket, map: join(folder, `${name}.map`) };
  const { ports } = slots;
  writeFileSync(options.map, '');
  const sections = haproxySections({ ...options, sticky: undefined, upstreams: upstreamsAt('127.0.0.1', ports) });
  const traffic = trafficPort('haproxy', options, { folder, ports, configured: true });
  return { traffic, url: options.front, map: options.map, sections };
}

test('a reload by anybody, and a restart, keep the shares, since the file says what the running map says', async () => {
  const { traffic, map, url } = await open();
  await traffic.setWeights(toBlue);
  const load = startLoad(url, { kept: 10, fresh: 5 });
  for (const weights of [half, toGreen]) {
    await traffic.setWeights(weights);
    expect(readFileSync(map, 'utf8')).toBe(mapOf(weights));
    await running.reload();
    expect(await traffic.observe()).toEqual(weights);
  }
  expect((await load.stop()).lost).toEqual([]);
  await running.stop();
  await running.startAgain();
  expect(await traffic.observe()).toEqual(toGreen);
  expect((await askFront(url)).slot).toBe('green');
});

test('a switch that died between file and map is seen as not done, and the next attempt finishes it', async () => {
  const { traffic, map, url } = await open();
  await traffic.setWeights(toBlue);
  writeFileSync(map, mapOf(toGreen));
  expect(await traffic.observe()).toEqual(toBlue);
  await traffic.setWeights(toGreen);
  expect((await askFront(url)).slot).toBe('green');
});

test('a file that somebody changed is put right, though the running map already says the same', async () => {
  const { traffic, map } = await open();
  await traffic.setWeights(half);
  writeFileSync(map, mapOf(toBlue));
  await traffic.setWeights(half);
  expect(readFileSync(map, 'utf8')).toBe(mapOf(half));
});

test('of several attempts at once each ends in the shares wanted', async () => {
  const { traffic } = await open();
  await Promise.all([1, 2, 3, 4].map(() => traffic.setWeights(half)));
  await traffic.setWeights(half);
  expect(await traffic.observe()).toEqual(half);
});

test('a switch holds though what it did is undone a moment later, as by a reload that had begun before', async () => {
  const { traffic, map, socket } = await open();
  await traffic.setWeights(toBlue);
  const switched = traffic.setWeights(toGreen);
  await until(async () => (await traffic.observe())?.green === 1);
  await runtimeAt(host, socket)(`clear map ${map}`);
  await switched;
  expect(await traffic.observe()).toEqual(toGreen);
});

test('two services behind one HAProxy are switched and measured apart', async () => {
  const { services } = await open({ names: ['shop', 'mail'] });
  const [shop, mail] = services as [Service, Service];
  await shop.traffic.setWeights(toBlue);
  await mail.traffic.setWeights(toBlue);
  const from = Date.now();
  await mail.traffic.setWeights(toGreen);
  for (let n = 0; n < 3; n++) expect((await askFront(shop.url)).slot).toBe('blue');
  expect((await askFront(mail.url)).slot).toBe('green');
  const requests = async ({ traffic }: Service) => (await traffic.measure(['blue'], from, Date.now() + 1)).requests;
  expect([await requests(shop), await requests(mail)]).toEqual([3, 0]);
  expect([await shop.traffic.missing(), await mail.traffic.missing()]).toEqual([[], []]);
});

test('an open WebSocket is in flight until its user leaves, after a reload too', async () => {
  const { traffic, url } = await open({ blue: await startWebSocketServer() });
  await traffic.setWeights(toBlue);
  const socket = await openWebSocket(url);
  await traffic.setWeights(toGreen);
  expect(await traffic.inFlight('blue')).toBe(1);
  await running.reload();
  expect(await traffic.inFlight('blue')).toBe(1);
  socket.destroy();
  await until(async () => (await traffic.inFlight('blue')) === 0);
});

test('where the ring was overwritten or HAProxy reloaded, the window is as much shorter', async () => {
  const { traffic, url } = await open();
  await sleep(2_100); // HAProxy tells its age in whole seconds
  const from = Date.now();
  const measure = (to: number) => traffic.measure(['blue'], from, to);
  await fillRing(url, 5);
  expect((await measure(from + 60_000)).windowMs).toBe(60_000);
  await fillRing(url, 500);
  await traffic.setWeights(toBlue);
  await askFront(url);
  const to = Date.now() + 60_000;
  const overwritten = await measure(to);
  expect(overwritten.requests).toBe(1);
  expect(overwritten.windowMs).toBeLessThan(to - from);
  expect(overwritten.windowMs).toBeGreaterThanOrEqual(60_000);
  const before = Date.now();
  await running.reload();
  const now = Date.now();
  const reloaded = await measure(now);
  expect(reloaded).toMatchObject({ requests: 0, p95Ms: null });
  expect(reloaded.windowMs).toBeLessThanOrEqual(now - before);
});

test('the runtime API may be an address and port', async () => {
  const { traffic, url } = await open({ tcp: true });
  await traffic.setWeights(toGreen);
  expect((await askFront(url)).slot).toBe('green');
  expect(await traffic.missing()).toEqual([]);
});

test('sections pasted below defaults of another kind work the same', async () => {
  const defaults = 'defaults\n  mode tcp\n  log global\n  option tcplog\n  option dontlog-normal\n  retries 0\n';
  const { traffic, url } = await open({ change: (text) => text.replace('# Holdpoint', `${defaults}# Holdpoint`) });
  await traffic.setWeights(toGreen);
  const from = Date.now();
  expect((await askFront(url)).slot).toBe('green');
  expect((await traffic.measure(['green'], from, Date.now() + 1)).requests).toBe(1);
});

test('a backend that leads elsewhere is told, and never gets traffic', async () => {
  const { traffic, sections } = await open({
    change: (text) => text.replace(/server green 127.0.0.1:\d+/, 'server green 127.0.0.1:1'),
  });
  expect(await traffic.missing()).toEqual([
    expect.stringMatching(/^HAProxy's backend shop_green has to lead to 127\.0\.0\.1:\d+ alone, not 127\.0\.0\.1:1\.$/),
    expect.stringContaining(`\n\n${sections}`),
  ]);
  await traffic.setWeights(toBlue);
  await expect(traffic.setWeights(toGreen)).rejects.toMatchObject({ type: 'ProxyNotReady', nonRetryable: true });
  expect(await traffic.observe()).toEqual(toBlue);
});

test('sections of another version are told', async () => {
  const { traffic } = await open({ change: (text) => text.replace(/"Holdpoint [0-9a-f]+"/, '"Holdpoint 00000000"') });
  expect((await traffic.missing())[0]).toMatch(/^HAProxy has other sections for shop than this environment says/);
});

test('a runtime API that may change nothing is told', async () => {
  const { traffic } = await open({ change: (text) => text.replace('level admin', 'level operator') });
  expect(await traffic.missing()).toEqual([
    expect.stringMatching(/has the level operator.*\n\nglobal\n.*level admin/s),
  ]);
});

test('an HAProxy of somebody else has nothing to measure or to count, and says so', async () => {
  const { socket } = await open({ names: ['other'] });
  const { traffic } = await serviceOf('shop', socket);
  const notReady = { type: 'ProxyNotReady', message: expect.stringContaining('\n\n# Holdpoint: http://127.0.0.1') };
  await expect(traffic.observe()).rejects.toMatchObject(notReady);
  await expect(traffic.setWeights(toBlue)).rejects.toMatchObject(notReady);
  await expect(traffic.inFlight('blue')).rejects.toMatchObject(notReady);
  await expect(traffic.measure(['blue'], 0, 1)).rejects.toMatchObject(notReady);
});

test('an HAProxy that is down is worth another try, and the message says where nobody answers', async () => {
  const { traffic, socket } = await open();
  await running.kill();
  const message = expect.stringContaining(`does not answer at ${socket} on this machine (`);
  const down = { type: 'ProxyUnreachable', nonRetryable: false, message };
  await expect(traffic.observe()).rejects.toMatchObject(down);
  await expect(traffic.setWeights(toGreen)).rejects.toMatchObject(down);
  await expect(traffic.inFlight('blue')).rejects.toMatchObject(down);
  await expect(traffic.measure(['blue'], 0, 1)).rejects.toMatchObject(down);
  expect(await traffic.missing()).toEqual([message]);
});

test("a socket that the worker's user may not use is told, with its rights", async () => {
  const { socket } = await open();
  chmodSync(folder, 0o755);
  chmodSync(socket, 0o600);
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65_534);
  else chmodSync(socket, 0o000);
  const answer = await runtimeAt(host, socket)('show info').catch((error) => error);
  if (isRoot) process.seteuid!(0);
  expect(answer).toMatchObject({
    type: 'ProxyUnreachable',
    message: expect.stringMatching(
      /\(EACCES\): Holdpoint is user 65534 there, and the socket belongs to user \d+ and group \d+, mode/,
    ),
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

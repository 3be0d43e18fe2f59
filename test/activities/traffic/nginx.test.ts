import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { drain } from '../../../activities/traffic/drain.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { askFront, startLoad } from '../../support/front-load.ts';
import { type NginxProxyInput, nginx } from '../../support/proxies/nginx.ts';
import { type ProxyUnderTest, trafficPort } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';

const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };
const signal = new AbortController().signal;

let folder: string;
let slots: ProxySlots;
let proxy: ProxyUnderTest;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-nginx-'));
  slots = await startSlots(['blue', 'green']);
});
afterEach(async () => {
  await proxy?.kill();
  await slots.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(change: Partial<NginxProxyInput> = {}) {
  proxy = await nginx.start({ folder, ports: slots.ports, configured: true, ...change });
  return proxy.traffic;
}

test('a switch that died half way is finished by the next attempt, and what was left over goes', async () => {
  const traffic = await open();
  await traffic.setWeights(toBlue);
  for (const name of ['00', '50', '99']) writeFileSync(join(folder, 'buckets', 'green', name), '');
  expect(await traffic.observe()).toEqual({ blue: 0.97, green: 0.03 });
  rmSync(join(folder, 'buckets', 'blue', '07'));
  await traffic.setWeights(toGreen);
  expect(await traffic.observe()).toEqual(toGreen);
  expect(readdirSync(join(folder, 'buckets', 'blue'))).toEqual([]);
});

test('wherever a switch dies everybody is served by one of the two, and the next attempt finishes it', async () => {
  const traffic = await open();
  await traffic.setWeights(toBlue);
  const load = startLoad(traffic.front(), { kept: 5, fresh: 2 });
  const quarter = { blue: 0.75, green: 0.25 };
  for (const weights of [quarter, toGreen, quarter, toBlue]) {
    // Each goes on from where the one before died: making folders, adding files, removing files, keeping them.
    for (const commands of [0, 1, 2, 1]) {
      const dying = portTo(traffic.front(), slots.ports, dyingHost(commands)).setWeights(weights);
      await expect(dying.then(() => 'done')).rejects.toThrow('the worker is dead');
      expect(await traffic.observe()).not.toBeNull();
    }
    await traffic.setWeights(weights);
    expect(await traffic.observe()).toEqual(weights);
  }
  expect((await load.stop()).lost).toEqual([]);
});

test('a first switch that died half way counts as none', async () => {
  const traffic = await open();
  mkdirSync(join(folder, 'buckets', 'blue'), { recursive: true });
  writeFileSync(join(folder, 'buckets', 'blue', '00'), '');
  expect(await traffic.observe()).toBeNull();
});

test('setting the same weights twice, and from two attempts at once, ends in these weights', async () => {
  const traffic = await open();
  await Promise.all([traffic.setWeights(toGreen), traffic.setWeights(toGreen)]);
  await traffic.setWeights(toGreen);
  expect(await traffic.observe()).toEqual(toGreen);
});

test('shares that it cannot make are refused, and nothing changes', async () => {
  const traffic = await open();
  await traffic.setWeights(toBlue);
  const half = traffic.setWeights({ blue: 0.995, green: 0.005 });
  await expect(half).rejects.toMatchObject({ type: 'UnsupportedShare', nonRetryable: true });
  expect(await traffic.observe()).toEqual(toBlue);
});

test('an nginx that is set up for other ports is told so, with what to paste, and never switched', async () => {
  const traffic = await open();
  await traffic.setWeights(toBlue);
  const other = portTo(traffic.front(), { blue: slots.ports.green!, green: slots.ports.blue! });
  const notReady = {
    type: 'ProxyNotReady',
    message: expect.stringMatching(/has another configuration[\s\S]*server \{/),
  };
  await expect(other.setWeights(toGreen)).rejects.toMatchObject(notReady);
  await expect(other.observe()).rejects.toMatchObject(notReady);
  expect(await other.missing()).toEqual([expect.stringContaining('has another configuration')]);
  expect((await askFront(traffic.front())).slot).toBe('blue');
});

test('an nginx that sees another folder never counts as switched', async () => {
  const traffic = await open({ edit: (text) => text.replaceAll(`${folder}/buckets/`, `${folder}/elsewhere/`) });
  await expect(traffic.setWeights(toBlue)).rejects.toMatchObject({
    type: 'NotSwitched',
    nonRetryable: false,
    message: expect.stringContaining(`does not serve what the files in ${folder}/buckets say`),
  });
});

test('an nginx that is down is worth another try, and the message says where', async () => {
  const traffic = await open();
  await proxy.kill();
  const down = {
    type: 'ProxyUnreachable',
    nonRetryable: false,
    message: expect.stringContaining('does not answer at'),
  };
  await expect(traffic.observe()).rejects.toMatchObject(down);
  await expect(traffic.setWeights(toGreen)).rejects.toMatchObject(down);
  expect(await traffic.missing()).toEqual([expect.stringMatching(/does not answer at .* is it running\? Start it/)]);
});

test('a WebSocket stays in flight until it is closed, and counts as a request without a time', async () => {
  const server = createServer().on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('end', () => socket.end()).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const traffic = await open({ ports: { blue: port, green: slots.ports.green! } });
  const from = Date.now();
  await traffic.setWeights(toBlue);
  const headers = { connection: 'Upgrade', upgrade: 'websocket' };
  const sent = request(traffic.front(), { headers, agent: false }).end();
  const socket = await new Promise<import('node:stream').Duplex>((resolve) => {
    sent.on('upgrade', (_, opened) => resolve(opened.on('error', () => {})));
  });
  await traffic.setWeights(toGreen);
  const late = { traffic, slot: 'blue', drainMs: 200, signal };
  await expect(drain(late)).rejects.toMatchObject({
    type: 'NotDrained',
    nonRetryable: true,
    message: expect.stringMatching(/^1 request is still in flight to blue after 200ms; blue keeps running\. Wait/),
  });
  socket.destroy();
  expect(await drain({ ...late, drainMs: 30_000 })).toMatchObject({ mostInFlight: expect.any(Number) });
  expect(await traffic.measure(['blue'], from, Date.now() + 1)).toMatchObject({ requests: 1, errors: 0, p50Ms: null });
  server.close();
});

/** Another port to the same nginx. */
function portTo(front: string, ports = slots.ports, host = createLocalHost()) {
  const options = { front, log: join(folder, 'access.log'), folder: join(folder, 'buckets') };
  return trafficPort('nginx', options, { folder, ports, configured: true }, host);
}

/** This machine, for a worker that dies right after so many commands. */
function dyingHost(commands: number): HostPort {
  const local = createLocalHost();
  let left = commands;
  return {
    ...local,
    async exec(command, options) {
      if (left === 0) throw new Error('the worker is dead');
      left -= 1;
      return await local.exec(command, options);
    },
  };
}

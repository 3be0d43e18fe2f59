import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { countsOf } from '../../../activities/receipt/prober-script.ts';
import { closeReceipt, openReceipt } from '../../../activities/receipt/receipt.ts';
import { markStart, segmentsOf } from '../../../activities/receipt/starts.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import type { Prober } from '../../../workflows/runbook/checks.ts';
import { askFront } from '../../support/front-load.ts';
import { nginx } from '../../support/proxies/nginx.ts';
import type { ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';
import { fleetOf } from '../../support/sshd.ts';
import { endLater, kill, lives, startWorker, temporaryFolder, until } from '../commands/on-this-machine.ts';

let slots: ProxySlots;
let proxy: ProxyUnderTest;
let proxyFolder: string;
beforeAll(async () => {
  proxyFolder = mkdtempSync(join(tmpdir(), 'holdpoint-test-receipt-'));
  slots = await startSlots(['blue', 'green']);
  proxy = await nginx.start({ folder: proxyFolder, ports: slots.ports, configured: true });
});
afterAll(async () => {
  await proxy?.kill();
  await slots?.stop();
  rmSync(proxyFolder, { recursive: true, force: true });
});

const host = createLocalHost();
const fence = 7;
const prober: Prober = { path: '/', everyMs: 20, forMs: 60_000 };
const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };

async function open(folder: string, changes: Partial<Prober> = {}): Promise<number> {
  const { pid } = await openReceipt({ host, folder, fence }, { ...prober, ...changes }, proxy.traffic);
  return endLater(Number(pid));
}

/** Returns once the prober has counted so many answers. */
async function untilSent(folder: string, count: number): Promise<void> {
  const file = join(folder, 'receipts', `${fence}.prober.json`);
  await until(() => existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).sent >= count);
}

async function send(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await askFront(proxy.traffic.front());
}

test('a deploy without a loss says so, with what each version served', async () => {
  const folder = temporaryFolder();
  await proxy.traffic.setWeights(toBlue);
  await open(folder);
  await untilSent(folder, 10);
  await markStart(host, folder, fence, { slot: 'green', version: '2', at: Date.now() });
  await proxy.traffic.setWeights(toGreen);
  await send(30);
  await untilSent(folder, 30);
  const receipt = (await closeReceipt({ host, folder, fence, marked: [host] }, { blue: '1' }, proxy.traffic))!;
  expect(receipt.probed).toMatchObject({ failed: 0, lost: 0 });
  expect(receipt.served['1']!.errors + receipt.served['2']!.errors).toBe(0);
  expect(receipt.served['2']!.requests).toBeGreaterThanOrEqual(30);
  const requests = receipt.served['1']!.requests + receipt.served['2']!.requests;
  expect(requests).toBeGreaterThanOrEqual(receipt.probed!.sent + 30);
});

test('a closed receipt stays as it is', async () => {
  const folder = temporaryFolder();
  const pid = await open(folder);
  await untilSent(folder, 1);
  const receipt = await closeReceipt({ host, folder, fence, marked: [host] }, { blue: '1' }, proxy.traffic);
  expect(await lives(pid)).toBe(false);
  await send(5);
  expect(await closeReceipt({ host, folder, fence, marked: [host] }, { blue: '1' }, proxy.traffic)).toEqual(receipt);
  expect(await openReceipt({ host, folder, fence }, prober, proxy.traffic)).toEqual({ prober: null });
});

test('where none was opened there is none, whatever was started', async () => {
  const folder = temporaryFolder();
  await markStart(host, folder, fence, { slot: 'green', version: '2', at: 1 });
  expect(await closeReceipt({ host, folder, fence, marked: [host] }, {}, proxy.traffic)).toBeNull();
});

test('without a prober only the proxy counts', async () => {
  const folder = temporaryFolder();
  await proxy.traffic.setWeights(toBlue);
  await openReceipt({ host, folder, fence }, null, proxy.traffic);
  await send(12);
  const receipt = await closeReceipt({ host, folder, fence, marked: [host] }, { blue: '1' }, proxy.traffic);
  expect(receipt).toMatchObject({ served: { 1: { requests: 12, errors: 0 } }, probed: null });
});

test('the prober goes on when the worker is killed, and there is only one however often it is opened', async () => {
  const folder = temporaryFolder();
  const script = fileURLToPath(new URL('open-receipt.ts', import.meta.url));
  const workers = [1, 2].map(() => startWorker(script, folder, fence, prober, proxy.traffic.front()));
  const pids = await Promise.all(
    workers.map(async ({ stdout }) => JSON.parse(String((await once(stdout!, 'data'))[0])).pid),
  );
  await Promise.all(workers.map(kill));
  expect(new Set([...pids, await open(folder)]).size).toBe(1);
  await untilSent(folder, 50);
  const receipt = await closeReceipt({ host, folder, fence, marked: [host] }, {}, proxy.traffic);
  expect(receipt!.probed).toMatchObject({ failed: 0, lost: 0 });
  expect(await lives(pids[0])).toBe(false);
});

test('an outage is on the receipt: what was lost, and for how long nobody was served', async () => {
  const folder = temporaryFolder();
  await open(folder);
  await untilSent(folder, 10);
  await proxy.kill();
  await sleep(1_000);
  await proxy.startAgain();
  const receipt = await closeReceipt({ host, folder, fence, marked: [host] }, {}, proxy.traffic);
  expect(receipt!.probed!.lost).toBeGreaterThan(0);
  expect(receipt!.probed!.longestGapMs).toBeGreaterThanOrEqual(1_000);
});

test('a prober that nobody ends, ends by itself', async () => {
  const folder = temporaryFolder();
  const pid = await open(folder, { forMs: 500 });
  await until(async () => !(await lives(pid)));
  const receipt = await closeReceipt({ host, folder, fence, marked: [host] }, {}, proxy.traffic);
  expect(receipt!.probed!.sent).toBeGreaterThan(0);
});

test('a prober whose folder was removed ends', async () => {
  const folder = temporaryFolder();
  const pid = await open(folder);
  await untilSent(folder, 1);
  rmSync(folder, { recursive: true, force: true });
  await until(async () => !(await lives(pid)));
});

test('on another machine the prober is there, goes on when the connection is lost, and counts an outage', async () => {
  const folder = temporaryFolder();
  const servers = await fleetOf(1);
  onTestFinished(servers.stop);
  const [server] = servers.hosts;
  const front = createSshHost({ machine: null, secrets: null }, server!.options);
  const where = { host, folder, fence, front, marked: [host] };
  await proxy.traffic.setWeights(toBlue);
  for (let attempt = 1; attempt <= 2; attempt++) {
    expect(await openReceipt(where, prober, proxy.traffic)).toEqual({
      prober: `GET / every 20ms from ${front.name}`,
    });
  }
  const lines = () => readFileSync(join(folder, 'receipts', `${fence}.prober.log`), 'utf8').split('\n').length;
  await until(() => existsSync(join(folder, 'receipts', `${fence}.prober.log`)) && lines() > 10);
  server!.cut();
  const before = lines();
  await until(() => lines() > before + 10);
  await proxy.kill();
  await sleep(1_000);
  await proxy.startAgain();
  const after = lines();
  await until(() => lines() > after + 10);
  const receipt = (await closeReceipt(where, {}, proxy.traffic))!;
  expect(receipt.probed!.sent).toBe(lines() - 2);
  expect(receipt.probed).toMatchObject({ failed: 0 });
  expect(receipt.probed!.lost).toBeGreaterThan(0);
  expect(receipt.probed!.longestGapMs).toBeGreaterThanOrEqual(1_000);
  const ended = lines();
  await sleep(300);
  expect(lines()).toBe(ended);
});

test('what a prober elsewhere wrote is counted: refused, failed and good answers, and an outage that goes on', () => {
  const log = '100.00\n100.10 100.11 200\n100.20 100.21 503\n100.40 100.41 302\n100.30 105.30 000\n106.00 106.01 000\n';
  const counts = { sent: 5, failed: 1, lost: 2 };
  expect(countsOf(log, '103.00\n')).toEqual({ ...counts, longestGapMs: 2_590 });
  expect(countsOf(log, null)).toEqual({ ...counts, longestGapMs: 5_600 });
  expect(countsOf(`${log}107.00 107.`, null)).toEqual({ ...counts, longestGapMs: 5_600 });
  expect(countsOf('100.00\n', '100.50\n')).toEqual({ sent: 0, failed: 0, lost: 0, longestGapMs: 500 });
});

test('the receipts of the newest twenty deploys are kept', async () => {
  const folder = temporaryFolder();
  for (let number = 1; number <= 22; number++) {
    await openReceipt({ host, folder, fence: number }, null, null);
    writeFileSync(join(folder, 'receipts', `${number}.closed.json`), '{}');
  }
  const left = readdirSync(join(folder, 'receipts'));
  expect(left).toHaveLength(40);
  expect(left).not.toContain('2.json');
  expect(left).toContain('3.json');
});

test('the first mark of a version in a slot stays', async () => {
  const folder = temporaryFolder();
  await openReceipt({ host, folder, fence }, null, null);
  const start = { slot: 'green', version: 'feature/x 2', at: 1_000 };
  await markStart(host, folder, fence, start);
  await markStart(host, folder, fence, { ...start, at: 9_000 });
  const marks = readdirSync(join(folder, 'receipts')).filter((name) => name.includes('.start.'));
  expect(marks).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(folder, 'receipts', marks[0]!), 'utf8'))).toEqual(start);
});

test('a slot belongs to one version after the other, also on the way back', () => {
  const starts = [
    { slot: 'blue', version: '1', at: 60 },
    { slot: 'blue', version: '2', at: 20 },
    { slot: 'green', version: '2', at: 40 },
  ];
  expect(segmentsOf({ blue: '1' }, starts, 10, 100)).toEqual([
    { slot: 'blue', version: '1', at: 10, until: 20 },
    { slot: 'blue', version: '2', at: 20, until: 60 },
    { slot: 'blue', version: '1', at: 60, until: 100 },
    { slot: 'green', version: '2', at: 40, until: 100 },
  ]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { readAccessLog } from '../../../activities/traffic/access-log.ts';
import { caddyLog } from '../../../activities/traffic/caddy-log.ts';
import type { Slot } from '../../../workflows/runbook/plan.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-log-'));
  log = join(folder, 'access.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ports = { blue: 4101, green: 4102 };

/** As Caddy writes it; `duration` is the line's number, to tell which lines were read. */
function line(ts: number, slot: keyof typeof ports, duration: number, uri = '/'): string {
  const request = { remote_ip: '127.0.0.1', method: 'GET', uri, headers: { 'User-Agent': ['x'.repeat(200)] } };
  const entry = { level: 'info', ts, logger: 'http.log.access.log0', request, duration, status: 200 };
  return `${JSON.stringify({ ...entry, upstream: `127.0.0.1:${ports[slot]}` })}\n`;
}

async function read(wanted: Slot, from: number, to: number): Promise<number[]> {
  const format = caddyLog(upstreamsAt('127.0.0.1', ports));
  const found = await readAccessLog({ host: createLocalHost(), path: log, format }, from, to);
  return found.filter(({ slot }) => slot === wanted).map(({ ms }) => ms / 1_000);
}

test('any window of a log of many megabytes has exactly its own lines', async () => {
  const times = Array.from({ length: 30_000 }, (_, n) => 1_000 + n / 10 + ((n * 7) % 11) / 100);
  writeFileSync(log, times.map((ts, n) => line(ts, n % 3 === 0 ? 'green' : 'blue', n)).join(''));
  for (const [from, to] of [
    [0, 5_000],
    [1_000, 1_001],
    [2_500, 2_501.55],
    [2_499.95, 2_700],
    [3_990, 9_000],
    [5_000, 6_000],
  ] as const) {
    const wanted = times.flatMap((ts, n) => (n % 3 === 0 && ts >= from && ts < to ? [n] : []));
    expect(await read('green', from * 1_000, to * 1_000)).toEqual(wanted);
  }
});

test('a window that begins before the log goes on in the files it was rolled into, newest first, no further', async () => {
  writeFileSync(join(folder, 'access-2026-11-21T08-00-00.000-size.log'), line(100, 'blue', 1) + line(150, 'blue', 2));
  writeFileSync(join(folder, 'access-2026-11-21T09-00-00.000-size.log'), line(200, 'blue', 3) + line(250, 'blue', 4));
  writeFileSync(join(folder, 'access-old.log'), line(260, 'blue', 99));
  writeFileSync(log, line(300, 'blue', 5));
  expect(await read('blue', 240_000, 400_000)).toEqual([5, 4]);
  expect(await read('blue', 140_000, 400_000)).toEqual([5, 3, 4, 2]);
});

test('a new log that is still empty sends the reader to the one before', async () => {
  writeFileSync(join(folder, 'access-2026-11-21T09-00-00.000-size.log'), line(200, 'blue', 3));
  writeFileSync(log, '');
  expect(await read('blue', 150_000, 400_000)).toEqual([3]);
});

test('a line that is still being written is left out, and one that is no request does no harm', async () => {
  writeFileSync(
    log,
    `${line(300, 'blue', 1)}not json "upstream":"127.0.0.1:4101"\n\n${line(301, 'blue', 2)}${line(302, 'blue', 3).slice(0, -1)}`,
  );
  expect(await read('blue', 0, 400_000)).toEqual([1, 2]);
});

test("what a client writes into a request cannot change which slot's it is", async () => {
  writeFileSync(
    log,
    line(300, 'green', 1, '/?"upstream":"127.0.0.1:4101"') +
      line(301, 'blue', 2, '/?\n"ts":9,"upstream":"127.0.0.1:4102"'),
  );
  expect(await read('blue', 0, 400_000)).toEqual([2]);
  expect(await read('green', 0, 400_000)).toEqual([1]);
});

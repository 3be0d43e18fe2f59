import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { numbered, readAccessLog, sampleRequests } from '../../../activities/traffic/access-log.ts';
import { nginxLog } from '../../../activities/traffic/nginx-log.ts';
import { measurementOf, mergedSamples } from '../../../activities/traffic/samples.ts';
import type { HostPort } from '../../../workflows/ports.ts';

const host = createLocalHost();
const measured = async (slots: string[], from: number, to: number) =>
  measurementOf(await sampleRequests({ host, path: log, format: nginxLog }, slots, from, to));

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-log-'));
  log = join(folder, 'access.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As nginx writes it; `ms` is the line's number, to tell which lines were read. */
function line(seconds: number, slot: string, ms: number, status = 200): string {
  return `{"ts":${seconds.toFixed(3)},"slot":"${slot}","status":${status},"seconds":${(ms / 1_000).toFixed(3)}}\n`;
}

async function read(slot: string, from: number, to: number): Promise<number[]> {
  const found = await readAccessLog({ host, path: log, format: nginxLog }, from, to);
  return found.filter((request) => request.slot === slot).map(({ ms }) => Math.round(ms));
}

test('any window of a log of many megabytes has exactly its own lines', async () => {
  const times = Array.from({ length: 60_000 }, (_, n) => 1_000 + n / 20 + ((n * 7) % 11) / 100);
  writeFileSync(log, times.map((seconds, n) => line(seconds, n % 3 === 0 ? 'green' : 'blue', n)).join(''));
  for (const [from, to] of [
    [0, 9_000_000],
    [1_000_000, 1_001_000],
    [2_500_000, 2_501_550],
    [2_499_950, 2_700_000],
    [3_990_000, 9_000_000],
    [5_000_000, 6_000_000],
  ] as const) {
    const wanted = times.flatMap((seconds, n) => {
      const at = Math.round(seconds * 1_000);
      return n % 3 === 0 && at >= from && at < to ? [n] : [];
    });
    expect(await read('green', from, to)).toEqual(wanted);
  }
});

test('a window that begins before the log goes on in the files it was rolled into, newest first, no further', async () => {
  writeFileSync(`${log}.2`, line(100, 'blue', 1) + line(150, 'blue', 2));
  writeFileSync(`${log}.1`, line(200, 'blue', 3) + line(250, 'blue', 4));
  writeFileSync(`${log}.3.gz`, 'packed');
  writeFileSync(log, line(300, 'blue', 5));
  expect(await read('blue', 240_000, 400_000)).toEqual([5, 4]);
  expect(await read('blue', 140_000, 400_000)).toEqual([5, 3, 4, 2]);
});

test('a new log that is still empty sends the reader to the one before', async () => {
  writeFileSync(`${log}.1`, line(200, 'blue', 3));
  writeFileSync(log, '');
  expect(await read('blue', 150_000, 400_000)).toEqual([3]);
});

test('a log that is rolled while it is read is read again: every request once, none of another window', async () => {
  writeFileSync(log, line(300, 'blue', 1) + line(301, 'blue', 2));
  let reads = 0;
  const rolling: HostPort = {
    ...host,
    async readRange(path, from, length) {
      reads += 1;
      if (reads === 2) {
        renameSync(log, `${log}.1`);
        writeFileSync(log, line(302, 'blue', 3));
      }
      return await host.readRange(path, from, length);
    },
  };
  const found = await readAccessLog({ host: rolling, path: log, format: nginxLog }, 290_000, 400_000);
  expect(found.map(({ ms }) => Math.round(ms)).sort()).toEqual([1, 2, 3]);
});

test('logs are rolled by number or by date, and the newest comes first', () => {
  const names = ['a.log.10', 'a.log', 'a.log.2.gz', 'a.log.2', 'b.log.1', 'a.log.1', 'a.log.txt'];
  expect(numbered('a.log', names)).toEqual(['a.log.1', 'a.log.2', 'a.log.10']);
  expect(numbered('a.log', ['a.log-20261119', 'a.log-20261121', 'a.log-20261120'])).toEqual([
    'a.log-20261121',
    'a.log-20261120',
    'a.log-20261119',
  ]);
});

test('a line that is still being written is left out, and one that is no request does no harm', async () => {
  const whole = line(300, 'blue', 1) + line(301, 'blue', 2);
  writeFileSync(log, `${whole}not json\n\n{"ts":301.5,"slot":"blue"}\n${line(302, 'blue', 3).slice(0, -1)}`);
  expect(await read('blue', 0, 400_000)).toEqual([1, 2]);
});

test('slots are measured together, answers 5xx are errors, and a WebSocket has no time', async () => {
  const slow = Array.from({ length: 98 }, (_, n) => line(300, n % 2 === 0 ? 'blue' : 'green', n + 1));
  const others = line(301, 'red', 9_000) + line(301, '', 9_000, 503);
  writeFileSync(log, slow.join('') + line(301, 'blue', 99, 502) + line(301, 'green', 50_000, 101) + others);
  expect(await measured(['blue', 'green'], 300_000, 310_000)).toEqual({
    requests: 100,
    errors: 1,
    p50Ms: 50,
    p95Ms: 95,
    p99Ms: 99,
    windowMs: 10_000,
  });
  expect(await measured(['blue'], 310_000, 320_000)).toEqual({
    requests: 0,
    errors: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    windowMs: 10_000,
  });
});

test('a log that is not there is worth another try, and the message names it', async () => {
  await expect(measured(['blue'], 0, 1)).rejects.toMatchObject({
    type: 'LogUnreadable',
    nonRetryable: false,
    message: `There is no access log ${log} on this machine. Does the proxy log there?`,
  });
});

test("several balancers' quantiles are those of all requests together, not means of theirs", () => {
  const fast = { requests: 90, errors: 1, times: Array.from({ length: 90 }, () => 10), windowMs: 60_000 };
  const slow = { requests: 10, errors: 2, times: Array.from({ length: 10 }, (_, n) => 100 + n), windowMs: 40_000 };
  expect(measurementOf(mergedSamples([fast, slow]))).toEqual({
    requests: 100,
    errors: 3,
    p50Ms: 10,
    p95Ms: 104,
    p99Ms: 108,
    windowMs: 40_000,
  });
});

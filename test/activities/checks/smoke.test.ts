import { expect, test } from 'vitest';
import { smoke } from '../../../activities/checks/smoke.ts';
import { freePort } from '../../../parts/ports.ts';
import type { SmokeTest } from '../../../workflows/runbook/checks.ts';
import { serve } from './server.ts';

const signal = new AbortController().signal;
const get: SmokeTest = { method: 'GET', url: '/', headers: {}, timeoutMs: 5_000 };

/** Says what it was asked; `/status/404` and the like answer with that status. */
function echo() {
  return serve((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      response.statusCode = Number(/^\/status\/(\d+)/.exec(request.url!)?.[1] ?? 200);
      response.end(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`);
    });
  });
}

test('the expected answer passes, with its status and time', async () => {
  const address = await echo();
  const test = { ...get, method: 'POST', url: '/status/201', json: { sku: 'test' }, status: 201 };
  const contains = 'POST /status/201 application/json {"sku":"test"}';
  expect(await smoke(address, { ...test, contains }, signal)).toEqual({ status: 201, ms: expect.any(Number) });
});

test("the test's own headers come before the usual ones", async () => {
  const headers = { 'Content-Type': 'application/vnd.test+json' };
  await smoke(await echo(), { ...get, headers, json: 1, contains: 'application/vnd.test+json' }, signal);
});

test('a whole URL is asked there, not at the address of the step', async () => {
  const address = await echo();
  await smoke('http://127.0.0.1:1', { ...get, url: `${address}/status/204`, status: 204 }, signal);
});

test.for([
  [{ url: '/status/500' }, 'expected a status below 400, but got 500 "GET /status/500 undefined"'],
  [{ url: '/status/200', status: 201 }, 'expected status 201, but got 200'],
  [{ contains: 'hello' }, 'expected a body that contains "hello", but got 200 "GET / undefined"'],
] as const)('a wrong answer to %j fails at once, and is told', async ([changes, told]) => {
  const address = await echo();
  await expect(smoke(address, { ...get, ...changes }, signal)).rejects.toMatchObject({
    type: 'SmokeTestFailed',
    nonRetryable: true,
    message: expect.stringContaining(told),
  });
});

test('no more than 300 characters of a wrong answer are told', async () => {
  const address = await serve((_, response) => response.writeHead(500).end('x'.repeat(5_000)));
  const message = await smoke(address, get, signal).catch((error) => error.message);
  expect(message).toBe(`GET ${address}/: expected a status below 400, but got 500 "${'x'.repeat(300)}"…`);
});

test('no answer at all is worth another try', async () => {
  const address = `http://127.0.0.1:${await freePort()}`;
  await expect(smoke(address, get, signal)).rejects.toMatchObject({
    type: 'Unreachable',
    nonRetryable: false,
    message: `GET ${address}/: ECONNREFUSED. Is it running, and is this its address?`,
  });
  const silent = await serve(() => {});
  await expect(smoke(silent, { ...get, timeoutMs: 100 }, signal)).rejects.toThrow('no whole answer within 100ms');
});

test('a password in a URL is not in the error', async () => {
  const address = (await echo()).replace('//', '//user:hunter2@');
  const message = await smoke(address, { ...get, status: 201 }, signal).catch((error) => error.message);
  expect(message).toContain('expected status 201');
  expect(message).not.toContain('hunter2');
});

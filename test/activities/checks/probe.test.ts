import { expect, test } from 'vitest';
import { probe } from '../../../activities/checks/probe.ts';
import { freePort } from '../../../parts/ports.ts';
import { serve } from './server.ts';

const signal = new AbortController().signal;

/** Answers with these statuses in turn, the last one for ever. */
function inTurn(...statuses: number[]) {
  return serve((_, response) => {
    response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!).end('not ready');
  });
}

test('an instance is ready after so many good answers in a row, a redirect counts as good', async () => {
  const address = await inTurn(200, 503, 302, 200);
  const evidence = await probe(address, { path: '/healthz', deadlineMs: 30_000, successes: 2 }, signal);
  expect(evidence).toMatchObject({ status: 200, tries: 4 });
});

test('an instance that never gets ready fails at the deadline, with the last answer', async () => {
  const address = await inTurn(503);
  await expect(probe(address, { path: '/healthz', deadlineMs: 500, successes: 1 }, signal)).rejects.toMatchObject({
    type: 'ProbeFailed',
    nonRetryable: true,
    message: expect.stringContaining(
      `GET ${address}/healthz did not answer below 400 within 500ms; last: 503 "not ready".`,
    ),
  });
});

test('a port on which nobody listens fails with the reason', async () => {
  const address = `http://127.0.0.1:${await freePort()}`;
  await expect(probe(address, { path: '/', deadlineMs: 300, successes: 1 }, signal)).rejects.toThrow(
    'last: ECONNREFUSED',
  );
});

test('an answer that never ends counts as none', async () => {
  const address = await serve((_, response) => void response.write('and'));
  await expect(probe(address, { path: '/', deadlineMs: 400, successes: 1 }, signal)).rejects.toThrow(
    /last: no whole answer within \d+ms/,
  );
});

test('a cancelled probe ends at once', async () => {
  const address = await inTurn(503);
  const cancel = new AbortController();
  const probed = probe(address, { path: '/', deadlineMs: 3_600_000, successes: 1 }, cancel.signal);
  cancel.abort();
  await expect(probed).rejects.toMatchObject({ name: 'AbortError' });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Evidence, HostPort } from '../../workflows/ports.ts';
import type { Probe } from '../../workflows/runbook/checks.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import { refuse } from '../failures.ts';
import { ask, describeAnswer, fromWhere, shownUrl, whyNoAnswer } from './ask.ts';

const tryMs = 2_000;
const pauseMs = 200;

/**
 * GETs `probe.path` of `address` from `host` (absent: the worker's machine) until so many answers in a row are below 400.
 * Evidence: the last status, tries, ms. Throws `ProbeFailed`, not to be retried, once the probe's own deadline has passed,
 * `HostUnreachable`, and what `whenNotReady` throws, which is called after each look that was none. Changes nothing.
 */
export async function probe(
  address: string,
  probe: Probe & { path: string },
  signal: AbortSignal,
  host?: HostPort,
  whenNotReady: () => Promise<unknown> = async () => {},
): Promise<Evidence> {
  const url = new URL(probe.path, address).href;
  const started = performance.now();
  const left = () => probe.deadlineMs - (performance.now() - started);
  let inARow = 0;
  let last = 'nothing was asked';
  for (let tries = 1; left() > 0; tries++) {
    const found = await look(url, Math.min(tryMs, left()), signal, host);
    inARow = found.ready ? inARow + 1 : 0;
    last = found.words;
    if (inARow >= probe.successes) return { status: found.status, tries, ms: Math.round(performance.now() - started) };
    if (!found.ready) await whenNotReady();
    await sleep(pauseMs, undefined, { signal });
  }
  const wanted = probe.successes > 1 ? `${probe.successes} times in a row ` : '';
  throw refuse(
    'ProbeFailed',
    `GET ${shownUrl(url)}${fromWhere(host)} did not answer below 400 ${wanted}within ${describeMs(probe.deadlineMs)}; last: ${last}. ` +
      'See what the instance printed, or allow more time with `rollout.deadline`.',
  );
}

async function look(url: string, timeoutMs: number, signal: AbortSignal, host: HostPort | undefined) {
  try {
    const answer = await ask(url, { timeoutMs: Math.ceil(timeoutMs), signal, host });
    return { ready: answer.status < 400, status: answer.status, words: describeAnswer(answer, 100) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApplicationFailure) throw error;
    return { ready: false, status: null, words: whyNoAnswer(error) };
  }
}

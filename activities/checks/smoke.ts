import { ApplicationFailure } from '@temporalio/activity';
import type { Evidence, HostPort } from '../../workflows/ports.ts';
import type { SmokeTest } from '../../workflows/runbook/checks.ts';
import { notYet, refuse } from '../failures.ts';
import { type Answer, ask, describeAnswer, fromWhere, shownUrl, whyNoAnswer } from './ask.ts';

const shownCharacters = 300;

/**
 * One request, of which exactly the expected answer must come back, from `host` (absent: the worker's machine).
 * Evidence: status and ms. Throws `SmokeTestFailed` for another answer, not to be retried, and `Unreachable` for none
 * at all. May run twice as far as the service lets that request be made twice.
 */
export async function smoke(address: string, test: SmokeTest, signal: AbortSignal, host?: HostPort): Promise<Evidence> {
  const url = new URL(test.url, address).href;
  const asked = `${test.method} ${shownUrl(url)}${fromWhere(host)}`;
  const answer = await send(url, asked, test, signal, host);
  const wrong = whatIsWrong(answer, test);
  if (wrong) {
    throw refuse('SmokeTestFailed', `${asked}: ${wrong}, but got ${describeAnswer(answer, shownCharacters)}`);
  }
  return { status: answer.status, ms: Math.round(answer.ms) };
}

async function send(
  url: string,
  asked: string,
  test: SmokeTest,
  signal: AbortSignal,
  host: HostPort | undefined,
): Promise<Answer> {
  const body = test.json === undefined ? {} : { body: JSON.stringify(test.json) };
  const type: Record<string, string> = test.json === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await ask(url, {
      method: test.method,
      headers: withDefaults(type, test.headers),
      ...body,
      timeoutMs: test.timeoutMs,
      signal,
      host,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApplicationFailure) throw error;
    throw notYet('Unreachable', `${asked}: ${whyNoAnswer(error)}. Is it running, and is this its address?`);
  }
}

/** Names in lower case, as `Content-Type` and `content-type` are the same header. */
function withDefaults(defaults: Record<string, string>, headers: Record<string, string>): Record<string, string> {
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  };
}

function whatIsWrong(answer: Answer, test: SmokeTest): string | null {
  if (test.status === undefined && answer.status >= 400) return 'expected a status below 400';
  if (test.status !== undefined && answer.status !== test.status) return `expected status ${test.status}`;
  if (test.contains !== undefined && !answer.body.includes(test.contains)) {
    return `expected a body that contains ${JSON.stringify(test.contains)}`;
  }
  return null;
}

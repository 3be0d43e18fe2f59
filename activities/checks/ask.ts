import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Answer {
  status: number;
  /** The first mebibyte. */
  body: string;
  /** From the start of the request to the end of the answer. */
  ms: number;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

const bodyLimit = 1024 * 1024;

/**
 * One request on a connection of its own, redirects not followed. Rejects where there is no whole answer in time,
 * with an error that {@link whyNoAnswer} puts in words, and with an `AbortError` when `signal` aborts.
 *
 * Not `fetch`: that sends headers of a browser (`Sec-Fetch-Mode: cors`), for which Caddy's admin endpoint and
 * protections against forged requests turn a request away, and it keeps connections open to what is to be stopped.
 */
export function ask(url: string, question: Question): Promise<Answer> {
  const started = performance.now();
  const { method = 'GET', headers = {}, body, timeoutMs, signal } = question;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      method,
      headers: { 'user-agent': 'holdpoint', ...length, ...headers },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    const timer = setTimeout(() => {
      const late = new Error(`no whole answer within ${timeoutMs}ms`);
      reject(late);
      request.destroy(late);
    }, timeoutMs);
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, body: text, ms: performance.now() - started }),
        reject,
      );
    });
    request.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < bodyLimit) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, bodyLimit).toString('utf8');
}

/** `ECONNREFUSED`, `no whole answer within 2000ms`, …: the error of an {@link ask} in a few words. */
export function whyNoAnswer(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** Without a name and password that may be in it. */
export function shownUrl(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

/** An answer for people: `503 "database is starting"`, with at most `characters` of its body. */
export function describeAnswer(answer: Answer, characters: number): string {
  const body = answer.body.trim();
  if (body === '') return String(answer.status);
  return `${answer.status} ${JSON.stringify(body.slice(0, characters))}${body.length > characters ? '…' : ''}`;
}

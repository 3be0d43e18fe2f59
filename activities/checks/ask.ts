import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { HostPort } from '../../workflows/ports.ts';
import { dial } from './dial.ts';

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
  /** The machine that connects, for which the URL holds; absent: the worker's. */
  host?: HostPort | undefined;
}

const bodyLimit = 1024 * 1024;

/**
 * One request on a connection of its own, redirects not followed. Rejects where there is no whole answer in time,
 * with an error that {@link whyNoAnswer} puts in words, when `signal` aborts, and with `HostUnreachable` where the
 * machine that is to connect cannot be reached itself.
 *
 * Not `fetch`: that sends headers of a browser (`Sec-Fetch-Mode: cors`), for which Caddy's admin endpoint and
 * protections against forged requests turn a request away, and it keeps connections open to what is to be stopped.
 */
export async function ask(url: string, question: Question): Promise<Answer> {
  const { timeoutMs, signal, host } = question;
  const started = performance.now();
  const late = new Error(`no whole answer within ${timeoutMs}ms`);
  const stream = host && (await dial(host, new URL(url), { timeoutMs, late, signal }));
  return await new Promise((resolve, reject) => {
    const request = send(url, question, stream ? { createConnection: () => stream } : { agent: false });
    const timer = setTimeout(
      () => {
        reject(late);
        request.destroy(late);
      },
      timeoutMs - (performance.now() - started),
    );
    request.on('close', () => {
      clearTimeout(timer);
      stream?.destroy();
    });
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, body: text, ms: performance.now() - started }),
        reject,
      );
    });
    request.end(question.body);
  });
}

function send(url: string, question: Question, connection: RequestOptions): ClientRequest {
  const { method = 'GET', headers = {}, body, signal } = question;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const request = new URL(url).protocol === 'https:' ? requestHttps : requestHttp;
  return request(url, {
    method,
    headers: { 'user-agent': 'holdpoint', ...length, ...headers },
    ...connection,
    ...(signal ? { signal } : {}),
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

/** ` from web1 (deploy@10.0.0.11)`: says whose address a URL is, where that is not plain. */
export function fromWhere(host: HostPort | undefined): string {
  return host ? ` from ${host.name}` : '';
}

/** An answer for people: `503 "database is starting"`, with at most `characters` of its body. */
export function describeAnswer(answer: Answer, characters: number): string {
  const body = answer.body.trim();
  if (body === '') return String(answer.status);
  return `${answer.status} ${JSON.stringify(body.slice(0, characters))}${body.length > characters ? '…' : ''}`;
}

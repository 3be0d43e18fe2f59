/**
 * A process of its own, so that nothing else slows it down: so many requests a second by the clock, whether the ones
 * before were answered or not, on kept connections; 2 of 5 place an order. Never tries again. Each answer is a line of
 * JSON on stdout. SIGTERM: sends no more, waits for what is in flight.
 */
import { Agent, request } from 'node:http';
import type { Answer } from './traffic.ts';

const [front = '', rate = '60'] = process.argv.slice(2);
const perMs = Number(rate) / 1_000;
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const timeoutMs = 10_000;
const gifts = [undefined, { to: 'Ada', card: 'Congratulations' }, undefined, { to: 'Bob' }];

let sent = 0;
let inFlight = 0;
let newestOrder: number | null = null;
const started = performance.now();

const timer = setInterval(() => {
  for (const due = (performance.now() - started) * perMs; sent < due; sent++) send(sent);
}, 4);

process.on('SIGTERM', () => {
  clearInterval(timer);
  setInterval(() => inFlight === 0 && process.exit(0), 10);
});
process.stdout.on('error', () => process.exit(1));

function send(number: number): void {
  const posts = number % 5 === 0 || number % 5 === 2;
  const gift = gifts[Math.floor(number / 5) % gifts.length];
  const body = posts ? JSON.stringify({ sku: `book-${number}`, quantity: 1 + (number % 3), gift }) : undefined;
  const method = posts ? 'POST' : 'GET';
  const path = posts || newestOrder === null ? '/orders' : `/orders/${newestOrder}`;
  const at = Date.now();
  const began = performance.now();
  inFlight += 1;
  const end = (status: number | null, version: string | null, error?: string) => {
    inFlight -= 1;
    const answer: Answer = { at, ms: performance.now() - began, method, status, version, ...(error && { error }) };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  };
  const asked = request(`${front}${path}`, {
    method,
    agent,
    headers:
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(timeoutMs),
  });
  let over = false;
  const once = (...args: Parameters<typeof end>) => {
    if (!over) end(...args);
    over = true;
  };
  asked.on('error', (error: NodeJS.ErrnoException) => once(null, null, error.code ?? error.message));
  asked.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('error', (error: NodeJS.ErrnoException) => once(null, null, error.code ?? error.message));
    response.on('end', () => {
      if (response.statusCode === 201) newestOrder = JSON.parse(text).id;
      once(response.statusCode ?? null, response.headers['x-version']?.toString() ?? null);
    });
  });
  asked.end(body);
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ask } from '../../../activities/checks/ask.ts';
import { probe } from '../../../activities/checks/probe.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { freePort } from '../../../parts/ports.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { fleetOf, type SshServers } from '../../support/sshd.ts';
import { serve } from './server.ts';

let servers: SshServers;
let hosts: Record<'this machine' | 'another machine', HostPort>;
beforeAll(async () => {
  servers = await fleetOf(1);
  const another = createSshHost({ machine: null, secrets: null }, servers.hosts[0]!.options);
  hosts = { 'this machine': createLocalHost(), 'another machine': another };
});
afterAll(() => servers.stop());
afterEach(() => servers.hosts[0]!.thaw());

const kinds = ['this machine', 'another machine'] as const;

test.each(kinds)('%s asks, with a body and headers, and gets the whole answer', async (kind) => {
  const address = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(201, { 'content-type': 'text/plain' });
      response.end(`${request.method} ${request.headers['x-who']} ${Buffer.concat(chunks)} ${'x'.repeat(200_000)}`);
    });
  });
  const question = { method: 'POST', headers: { 'x-who': 'me' }, body: 'héllo', timeoutMs: 10_000, host: hosts[kind] };
  const { status, body } = await ask(`${address}/orders`, question);
  expect(status).toBe(201);
  expect(body.slice(0, 14)).toBe('POST me héllo ');
  expect(body).toHaveLength(200_014);
});

test.each(kinds)('%s says that nobody listens, or that the answer never ends', async (kind) => {
  const nobody = ask(`http://127.0.0.1:${await freePort()}`, { timeoutMs: 10_000, host: hosts[kind] });
  await expect(nobody).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const address = await serve((_, response) => void response.write('and'));
  await expect(ask(address, { timeoutMs: 300, host: hosts[kind] })).rejects.toThrow('no whole answer within 300ms');
});

test.each(kinds)(
  '%s asks with TLS, by the name in the URL, and trusts no certificate that nobody has signed',
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-ask-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')] as const;
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ];
    execFileSync('openssl', made, { stdio: 'pipe' });
    const named: string[] = [];
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      named.push((request.socket as unknown as { servername: string }).servername);
      response.end('secure');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const question = { timeoutMs: 10_000, host: hosts[kind] };
    await expect(ask(url, question)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const answer = await ask(url, question).finally(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
    expect(answer).toMatchObject({ status: 200, body: 'secure' });
    expect(named).toEqual(['localhost']);
    server.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  },
);

test.each(['http', 'https'] as const)(
  'a connection that is lost during a request of %s is no answer',
  async (protocol) => {
    const lone = await fleetOf(1);
    onTestFinished(lone.stop);
    const another = lone.hosts[0]!;
    const host = createSshHost({ machine: null, secrets: null }, another.options);
    let asked = () => {};
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    // It takes the connection, and says nothing.
    const server = createTcpServer((socket) => socket.on('error', () => {}).once('data', () => asked()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answer = ask(`${protocol}://127.0.0.1:${port}`, { timeoutMs: 60_000, host });
    const refused = expect(answer).rejects.toThrow(/ECONNRESET|hang up|disconnected|lost/);
    await begun;
    another.cut();
    await refused;
    server.close();
  },
);

test('a machine that hangs holds nobody longer than the time given, or than the step', async () => {
  const address = await serve((_, response) => response.end('late'));
  const host = hosts['another machine'];
  expect((await ask(address, { timeoutMs: 10_000, host })).body).toBe('late');
  servers.hosts[0]!.freeze();
  await expect(ask(address, { timeoutMs: 300, host })).rejects.toThrow('no whole answer within 300ms');
  const cancel = new AbortController();
  const asked = ask(address, { timeoutMs: 600_000, host, signal: cancel.signal });
  cancel.abort();
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
});

test('a probe from another machine names it', async () => {
  const host = hosts['another machine'];
  const { signal } = new AbortController();
  const address = await serve((_, response) => void response.writeHead(503).end('warming up'));
  const probed = probe(address, { path: '/healthz', deadlineMs: 500, successes: 1 }, signal, host);
  await expect(probed).rejects.toMatchObject({
    type: 'ProbeFailed',
    message: expect.stringContaining(`GET ${address}/healthz from ${host.name} did not answer below 400`),
  });
});

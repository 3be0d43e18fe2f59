import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Container } from 'dockerode';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createEngine, type Engine } from '../../../activities/docker/engine.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { aMachine } from './machine.ts';

let machine: Awaited<ReturnType<typeof aMachine>>;
beforeAll(async () => {
  machine = await aMachine();
});

/** A socket of the machine's own, behind which the real engine is. */
async function aSocket(): Promise<string> {
  const { protocol, pathname, hostname, port } = new URL(inject('dockerHost'));
  const socket = join(temporaryFolder(), 'docker.sock');
  const server = createServer({ allowHalfOpen: true }, (one) => {
    const engine = createConnection({
      allowHalfOpen: true,
      ...(protocol === 'unix:' ? { path: pathname } : { host: hostname, port: Number(port) }),
    });
    one.on('error', () => engine.destroy()).pipe(engine);
    engine.on('error', () => one.destroy()).pipe(one);
  }).listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return socket;
}

async function works(engine: Engine): Promise<void> {
  expect(String(await engine.ask('ping', (docker) => docker.ping()))).toBe('OK');
  const output = new PassThrough();
  const printed = text(output);
  const command = ['sh', '-c', 'echo over ssh'];
  const run = engine.docker.run(inject('baseImage'), command, output, { Tty: true });
  const [, container] = (await run) as [unknown, Container];
  await container.remove({ force: true });
  output.end();
  expect(await printed).toContain('over ssh');
  const gone = engine.ask('look', (docker) => docker.getContainer('none-such').inspect(), { 404: 'none' as const });
  expect(await gone).toBe('none');
}

test('an engine on another machine is reached through that machine, at its own socket', async () => {
  const socket = await aSocket();
  const engine = createEngine({ engine: `unix://${socket}` }, { host: machine.host, address: '10.0.0.11' });
  expect(engine.host).toBe('10.0.0.11');
  expect(engine.url).toBe(`unix://${socket} on ${machine.host.name}`);
  await works(engine);
});

test('an engine may be named by ssh://, as the docker command names it', async () => {
  const home = temporaryFolder();
  mkdirSync(join(home, '.ssh'));
  const { key, knownHosts, host, port, user } = machine.options;
  writeFileSync(join(home, '.ssh', 'config'), `IdentityFile ${key}\nUserKnownHostsFile ${knownHosts}\n`);
  const before = process.env.HOME;
  process.env.HOME = home;
  onTestFinished(() => {
    process.env.HOME = before;
  });
  const engine = createEngine({ engine: `ssh://${user}@${host}:${port}${await aSocket()}` });
  expect(engine.host).toBe(host);
  await works(engine);
});

test('what is wrong with the engine, or with the way to it, says so', async () => {
  const ping = (url: string) =>
    createEngine({ engine: url }, { host: machine.host, address: '' }).ask('ping', (docker) => docker.ping());
  await expect(ping('unix:///none.sock')).rejects.toMatchObject({ type: 'DockerDown' });
  await expect(ping('unix:///none.sock')).rejects.toThrow(`unix:///none.sock on ${machine.host.name}`);
  const nobody = machine.reach({ port: 1, hostKeys: 'accept-new' });
  const attempt = createEngine({}, { host: nobody, address: '' }).ask('ping', (docker) => docker.ping());
  await expect(attempt).rejects.toMatchObject({ type: 'HostUnreachable' });
});

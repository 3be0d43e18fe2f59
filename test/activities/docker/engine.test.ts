import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { dockerOptions } from '../../../activities/docker/docker-options.ts';
import { endpointOf } from '../../../activities/docker/endpoint.ts';
import { createEngine } from '../../../activities/docker/engine.ts';
import { aDockerTarget, containersOf, inspected, writer } from '../../support/containers.ts';
import { anEngineDoor } from '../../support/engine-door.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

/** As the docker command keeps it: its configuration, and a context. */
function aDockerFolder(contexts: Record<string, string>, currentContext?: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ currentContext }));
  for (const [name, Host] of Object.entries(contexts)) {
    const meta = join(folder, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
    mkdirSync(meta, { recursive: true });
    writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host } } }));
  }
  return folder;
}

describe('the engine', () => {
  test('is the one that the options name, else the one that the docker command would ask', () => {
    const DOCKER_CONFIG = aDockerFolder(
      { staging: 'tcp://10.0.0.5:2375', rootless: 'unix:///run/user/1/d.sock' },
      'rootless',
    );
    const url = (options: object, more: object = {}) => endpointOf(options as never, { DOCKER_CONFIG, ...more }).url;
    expect(url({ engine: 'unix:///x.sock' }, { DOCKER_HOST: 'unix:///y.sock' })).toBe('unix:///x.sock');
    expect(url({ context: 'staging' }, { DOCKER_HOST: 'unix:///y.sock' })).toBe('tcp://10.0.0.5:2375');
    expect(url({}, { DOCKER_HOST: 'unix:///y.sock', DOCKER_CONTEXT: 'staging' })).toBe('unix:///y.sock');
    expect(url({}, { DOCKER_CONTEXT: 'staging' })).toBe('tcp://10.0.0.5:2375');
    expect(url({})).toBe('unix:///run/user/1/d.sock');
    expect(url({ context: 'default' })).toBe('unix:///var/run/docker.sock');
    expect(endpointOf({}, { DOCKER_CONFIG: '/none' }).url).toBe('unix:///var/run/docker.sock');
  });

  test('over TCP uses the certificates of the options, of DOCKER_CERT_PATH or of the context', () => {
    const folder = aDockerFolder({ staging: 'tcp://10.0.0.5:2376' });
    const tls = join(folder, 'contexts', 'tls', createHash('sha256').update('staging').digest('hex'), 'docker');
    mkdirSync(tls, { recursive: true });
    writeFileSync(join(tls, 'ca.pem'), '');
    const environment = { DOCKER_CONFIG: folder };
    expect(endpointOf({ context: 'staging' }, environment).tls).toBe(tls);
    expect(endpointOf({ engine: 'tcp://h:2376', tls: '/certs' }, environment).tls).toBe('/certs');
    const secure = { ...environment, DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/mine' };
    expect(endpointOf({}, secure).tls).toBe('/mine');
    expect(() => createEngine({ engine: 'tcp://h:2376', tls: '/none' })).toThrow(/Cannot read \/none\/ca\.pem/);
  });

  test('over SSH is one like any other; a context that nobody knows is refused with what to do', () => {
    const DOCKER_CONFIG = aDockerFolder({ far: 'ssh://deploy@web-1' });
    expect(endpointOf({ context: 'far' }, { DOCKER_CONFIG }).url).toBe('ssh://deploy@web-1');
    expect(() => endpointOf({ context: 'near' }, { DOCKER_CONFIG })).toThrow(/no context "near".*docker context ls/);
    expect(dockerOptions.safeParse({ engine: 'ssh://deploy@web-1:2222' }).success).toBe(true);
    expect(dockerOptions.safeParse({ engine: 'npipe://./docker' }).error?.message).toContain('ssh://deploy@10.0.0.5');
  });

  test('is the named one even where the worker has another DOCKER_HOST', async () => {
    const before = process.env.DOCKER_HOST;
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
    try {
      const engine = createEngine({ engine: inject('dockerHost') });
      expect(String(await engine.ask('ping', (docker) => docker.ping()))).toBe('OK');
    } finally {
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
    }
  });

  test('that does not answer is worth another try', async () => {
    for (const url of ['unix:///none/docker.sock', 'tcp://127.0.0.1:1']) {
      const attempt = createEngine({ engine: url }).ask('list containers', (docker) => docker.listContainers());
      await expect(attempt).rejects.toMatchObject({ type: 'DockerDown', nonRetryable: false });
      await expect(attempt).rejects.toThrow(`The Docker engine at ${url} does not answer`);
    }
  });
});

test('options refuse what they do not know, and two ways to the engine', () => {
  expect(dockerOptions.parse({})).toEqual({ publish: '127.0.0.1' });
  for (const wrong of [
    { prot: 8080 },
    { engine: 'unix:///x', context: 'y' },
    { memory: 'lots' },
    { engine: 'http://x' },
  ]) {
    expect(dockerOptions.safeParse(wrong).success).toBe(false);
  }
});

describe('an engine that goes away in the middle', () => {
  test('is waited for, and what runs on it is found again', async () => {
    const door = await anEngineDoor();
    const at = await aDockerTarget({ engine: door.url });
    const two = await at.release('2');
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer());
    await door.lock();
    const asks = [
      () => at.instances.observe('blue'),
      () => at.instances.health('blue'),
      () => at.instances.ensureRunning('blue', at.spec(two), {}, writer()),
      () => at.instances.ensureStopped('blue', 1_000),
    ];
    for (const ask of asks) await expect(ask()).rejects.toMatchObject({ type: 'DockerDown', nonRetryable: false });
    await door.unlock();
    expect(await at.instances.observe('blue')).toMatchObject({ release: '2', running: true });
    expect(await at.instances.ensureRunning('blue', at.spec(two), {}, writer())).toMatchObject({ started: false });
  });

  test('does not make a command run twice', async () => {
    const door = await anEngineDoor();
    const at = await aDockerTarget({ engine: door.url });
    const release = await at.release('2');
    const signal = new AbortController().signal;
    const script = 'cat /proc/sys/kernel/random/uuid; sleep 1.5';
    const job = { key: 'step|1', release, command: ['bash', '-c', script], env: {}, signal };
    const attempt = expect(at.instances.jobs.run(job)).rejects.toMatchObject({
      type: 'DockerDown',
      nonRetryable: false,
    });
    while ((await containersOf(`${at.service}-job`)).length === 0) await sleep(20);
    const [name] = await containersOf(`${at.service}-job`);
    while (!(await inspected(name!))?.State.Running) await sleep(20);
    await door.lock();
    await attempt;
    await door.unlock();
    const { output, attached } = await at.instances.jobs.run(job);
    expect(output).toMatch(/^[0-9a-f-]{36}$/);
    expect(attached).toBe(true);
  });
});

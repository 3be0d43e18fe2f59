import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { aDockerTarget, aNetwork, containersOf, inspected, textOf, writer } from '../../support/containers.ts';
import { engine } from '../../support/docker-engine.ts';

/** A service that somebody started by hand on the port of slot blue, as its container `<service>-by-hand`. */
async function aServiceByHand(host: object = {}, more: object = {}) {
  const at = await aDockerTarget();
  const one = await at.release('1');
  const network = await aNetwork(at.service, 'net');
  const other = await aNetwork(at.service, 'other');
  const name = `${at.service}-by-hand`;
  const made = await engine().createContainer({
    name,
    Image: `${at.service}:1`,
    Env: ['TZ=Europe/Berlin', 'GREETING=by hand'],
    User: '1000:1000',
    ...more,
    HostConfig: {
      NetworkMode: network,
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(at.ports.blue) }] },
      Binds: [`${at.service}-uploads:/uploads`],
      Memory: 256 * 1024 ** 2,
      ExtraHosts: ['db:10.0.0.7'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m' } },
      CapDrop: ['NET_RAW'],
      ...host,
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: ['app'] } } },
  });
  await engine()
    .getNetwork(other)
    .connect({ Container: made.id, EndpointConfig: { Aliases: ['app-too'] } });
  await made.start();
  return { ...at, one, name, network, other, id: made.id };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

describe('a container that Holdpoint did not make', () => {
  test('is the live instance of the slot whose port it publishes, with its tag as the release', async () => {
    const at = await aServiceByHand();
    expect(await at.instances.observe('blue')).toEqual({
      release: '1',
      image: at.one.image,
      port: at.ports.blue,
      running: true,
      foreign: true,
    });
    expect(await at.instances.observe('green')).toBeNull();
    const again = await at.instances.ensureRunning('blue', at.spec(at.one), {}, writer());
    expect(again).toMatchObject({ container: at.name, started: false });
  });

  test('is refused its slot to another release', async () => {
    const at = await aServiceByHand();
    const attempt = at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'SlotTaken' });
  });

  test('gives its settings to the next one beside it, and the runbook overrides them', async () => {
    const at = await aServiceByHand();
    const two = await at.release('2');
    const wish = at.spec(two, { port: at.ports.green, env: { GREETING: 'hello' }, secrets: ['API_KEY'] });
    await at.instances.ensureRunning('green', wish, { API_KEY: 'sk-12345' }, writer());
    const { Config, HostConfig, NetworkSettings } = (await inspected(`${at.service}-green`))!;
    expect(Config.Env).toEqual(expect.arrayContaining(['TZ=Europe/Berlin', 'GREETING=hello', 'API_KEY=sk-12345']));
    expect(Config.Env).not.toContain('GREETING=by hand');
    expect(Config.User).toBe('1000:1000');
    expect(HostConfig).toMatchObject({
      Binds: [`${at.service}-uploads:/uploads`],
      Memory: 256 * 1024 ** 2,
      ExtraHosts: ['db:10.0.0.7'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m' } },
      CapDrop: ['NET_RAW'],
      RestartPolicy: { Name: 'unless-stopped' },
    });
    expect(Object.keys(NetworkSettings.Networks).sort()).toEqual([at.network, at.other].sort());
    expect(NetworkSettings.Networks[at.network]!.Aliases).toContain('app');
    expect(NetworkSettings.Networks[at.other]!.Aliases).toContain('app-too');
    await until(() =>
      textOf(at.instances.address('green')).then(
        (text) => text === '{"version":"2"}',
        () => false,
      ),
    );
    expect((await inspected(at.name))!.State.Running).toBe(true);
  });

  test('hands them on over any number of deploys, without what the runbook no longer says', async () => {
    const at = await aServiceByHand();
    const wish = at.spec(await at.release('2'), { port: at.ports.green, env: { OLD: 'yes' }, secrets: ['API_KEY'] });
    await at.instances.ensureRunning('green', wish, { API_KEY: 'sk-12345' }, writer());
    await at.instances.ensureStopped('blue', 5_000);
    await at.instances.ensureRunning('blue', at.spec(await at.release('3')), {}, writer(2));
    const { Config, HostConfig, NetworkSettings } = (await inspected(`${at.service}-blue`))!;
    expect(Config.Env).toContain('TZ=Europe/Berlin');
    expect(Config.Env.filter((line) => /^(OLD|API_KEY)=/.test(line))).toEqual([]);
    expect(HostConfig.Memory).toBe(256 * 1024 ** 2);
    expect(NetworkSettings.Networks[at.other]!.Aliases).toContain('app-too');
    expect(await containersOf(at.service)).toEqual([`${at.service}-blue`, `${at.service}-green`]);
  });

  test('is stopped and removed when its slot is emptied, also by a second attempt after the first died half way', async () => {
    const at = await aServiceByHand({ RestartPolicy: { Name: 'always' } });
    await at.instances.ensureRunning('green', at.spec(await at.release('2'), { port: at.ports.green }), {}, writer());
    await engine()
      .getContainer(at.id)
      .rename({ name: `${at.service}-blue-adopted` });
    await engine().getContainer(at.id).stop({ t: 1 });
    expect(await at.instances.ensureStopped('blue', 5_000)).toMatchObject({ release: '1' });
    expect(await containersOf(at.service)).toEqual([`${at.service}-green`]);
  });

  test('keeps its settings for the next one where the old one is stopped first', async () => {
    const at = await aServiceByHand();
    await until(() =>
      textOf(at.instances.address('blue')).then(
        () => true,
        () => false,
      ),
    );
    expect(await at.instances.ensureStopped('blue', 5_000)).toEqual({ release: '1', end: 'exit code 0' });
    expect(await at.instances.observe('blue')).toBeNull();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer());
    const { Config, HostConfig } = (await inspected(`${at.service}-blue`))!;
    expect(Config.Env).toContain('TZ=Europe/Berlin');
    expect(HostConfig.Memory).toBe(256 * 1024 ** 2);
    expect(await containersOf(at.service)).toEqual([`${at.service}-blue`]);
    // And back again.
    await at.instances.ensureStopped('blue', 5_000);
    await at.instances.ensureRunning('blue', at.spec(at.one), {}, writer());
    expect((await inspected(`${at.service}-blue`))!.Config.Env).toContain('TZ=Europe/Berlin');
    expect(await at.instances.observe('blue')).toMatchObject({ release: '1', running: true });
  });

  test('is found by its name where it publishes no port of a slot', async () => {
    const at = await aServiceByHand({ PortBindings: {} });
    expect(await at.instances.observe('blue')).toBeNull();
    const named = await aDockerTarget({ adopt: at.name });
    expect(await named.instances.observe('blue')).toMatchObject({ release: '1', running: true });
    expect(await named.instances.observe('green')).toBeNull();
  });

  test('whatever costs something is said before the deploy', async () => {
    const at = await aServiceByHand({}, { Cmd: ['node', '/app/server.mjs', '8080', '0.0.0.0', 'more'] });
    const said = await at.instances.notices();
    expect(said).toEqual([
      `${at.name}, which Holdpoint did not make, serves in blue: once the deploy is confirmed it is stopped and removed.`,
      `${at.name} runs a command of its own, which is not taken over: say it in the runbook's \`start\`.`,
      `Both versions write to the same /uploads while they run beside each other (mounts of ${at.name}).`,
      `Whoever calls ${at.name} as app in network ${at.network} reaches either version as soon as both run.`,
      `Whoever calls ${at.name} as app-too in network ${at.other} reaches either version as soon as both run.`,
    ]);
    const nothing = await aDockerTarget();
    expect(await nothing.instances.notices()).toEqual([]);
  });

  test('one that Docker removes once it ends is said to be, and stops', async () => {
    const at = await aServiceByHand({ AutoRemove: true });
    expect((await at.instances.notices()).join()).toContain('was started with --rm');
    await at.instances.ensureRunning('green', at.spec(await at.release('2'), { port: at.ports.green }), {}, writer());
    expect(await at.instances.ensureStopped('blue', 5_000)).toMatchObject({ release: '1' });
    await until(async () => (await containersOf(at.service)).length === 1);
  });

  test("one on the host's network is refused a second version, and the plan says so", async () => {
    const at = await aDockerTarget();
    await at.release('1');
    const name = `${at.service}-by-hand`;
    const Cmd = ['node', '/app/server.mjs', String(at.ports.blue)];
    const made = { name, Image: `${at.service}:1`, Cmd, HostConfig: { NetworkMode: 'host' } };
    await (await engine().createContainer(made)).start();
    const named = await aDockerTarget({ adopt: name });
    expect((await named.instances.notices()).join()).toContain("uses the host's network");
    const wish = named.spec(await named.release('2'), { port: named.ports.green });
    await expect(named.instances.ensureRunning('green', wish, {}, writer())).rejects.toMatchObject({
      type: 'HostNetwork',
      nonRetryable: true,
    });
  });
});

describe('options', () => {
  test('say what is not taken over', async () => {
    const at = await aDockerTarget({
      memory: '128m',
      cpus: 0.5,
      restart: 'always',
      user: '1000',
      hosts: ['db:10.0.0.8'],
      init: true,
    });
    await at.instances.ensureRunning('blue', at.spec(await at.release('1')), {}, writer());
    const { Config, HostConfig } = (await inspected(`${at.service}-blue`))!;
    expect(Config.User).toBe('1000');
    expect(HostConfig).toMatchObject({
      Memory: 128 * 1024 ** 2,
      NanoCpus: 0.5e9,
      RestartPolicy: { Name: 'always' },
      ExtraHosts: ['db:10.0.0.8'],
      Init: true,
    });
  });
});

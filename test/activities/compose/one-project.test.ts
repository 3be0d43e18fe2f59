import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { writeRecord } from '../../../activities/markers/record.ts';
import { textOf, writer } from '../../support/containers.ts';
import { engine } from '../../support/docker-engine.ts';
import { aRunningProject, containersOf, dbPassword, environmentOf, idsOf } from './a-project.ts';

describe('a project that runs already', () => {
  test('is found in the slot whose port it publishes, with its tag as release and its image pinned', async () => {
    const { instances, one, ports } = await aRunningProject();
    const shop = instances();
    const found = { release: '1', image: one.image, port: ports.blue, running: true, foreign: true };
    expect(await shop.observe('blue')).toEqual(found);
    expect(await shop.observe('green')).toBeNull();
    expect(await shop.health('blue')).toBe('healthy');
    expect(await textOf(shop.address('blue'))).toBe('{"version":"1"}');
  });

  test('the next release starts beside it, then the old one is stopped, and no other service is touched', async () => {
    const { name, release, spec, instances, one } = await aRunningProject();
    const before = await containersOf(name);
    const two = await release('2');
    const shop = instances();
    const evidence = await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await expect.poll(() => shop.health('green'), { timeout: 20_000, interval: 100 }).toBe('healthy');
    expect(evidence).toMatchObject({ release: '2', started: true, settings: 'as the project has them' });
    expect(await textOf(shop.address('green'))).toBe('{"version":"2"}');
    expect(await textOf(shop.address('blue'))).toBe('{"version":"1"}');
    const beside = await containersOf(name);
    expect(beside.filter(({ id }) => before.some((was) => was.id === id))).toHaveLength(3);
    expect(idsOf(beside, 'server')).toHaveLength(2);

    expect(await shop.ensureStopped('blue', 2_000)).toMatchObject({ release: '1', end: 'exit code 0' });
    const after = await containersOf(name);
    expect(idsOf(after, 'client', 'db')).toEqual(idsOf(before, 'client', 'db'));
    expect(after.filter(({ service }) => service === 'server')).toMatchObject([{ image: two.image, state: 'running' }]);
    expect(await shop.observe('blue')).toBeNull();
    expect(one.image).not.toBe(two.image);
  });

  test('a second time, and eight overlapping times, it is started once', async () => {
    const { name, release, spec, instances } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => shop.ensureRunning('green', spec(two, 'green'), {}, writer())),
    );
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ nonRetryable: false });
    const again = await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    expect(again).toMatchObject({ started: false });
    const states = async () =>
      (await containersOf(name)).filter(({ service }) => service === 'server').map(({ state }) => state);
    expect((await states()).filter((state) => state === 'running')).toHaveLength(2);
    // One that lost the race for the port was never started, and goes when the slot is emptied.
    await shop.ensureStopped('green', 0);
    expect(await states()).toEqual(['running']);
  });

  test('another release in the slot, and a newer deploy, are refused', async () => {
    const { release, spec, instances } = await aRunningProject();
    const [two, three] = [await release('2'), await release('3')];
    const shop = instances();
    const taken = shop.ensureRunning('blue', spec(two), {}, writer());
    await expect(taken).rejects.toMatchObject({ type: 'SlotTaken', nonRetryable: true });
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer(7));
    const late = shop.ensureRunning('green', spec(three, 'green'), {}, writer(6));
    await expect(late).rejects.toMatchObject({ type: 'Fenced', nonRetryable: true });
  });

  test('secrets reach the container, and no file', async () => {
    const { name, release, spec, instances, state } = await aRunningProject();
    const token = 'to$ken-"with" $$ and ${NAME}';
    const wish = spec(await release('2'), 'green', { env: { PRICE: '5$' }, secrets: ['TOKEN'] });
    await instances().ensureRunning('green', wish, { TOKEN: token, PRICE: '5$' }, writer());
    const [, server] = idsOf(await containersOf(name), 'server');
    const env = await environmentOf(server!);
    expect(env).toEqual(
      expect.arrayContaining([
        `TOKEN=${token}`,
        'PRICE=5$',
        'GREETING=hello',
        `DB_PASSWORD=${dbPassword}`,
        'PORT=8080',
      ]),
    );
    expect(env).toEqual(expect.arrayContaining(['HOLDPOINT_SLOT=green', 'HOLDPOINT_RELEASE=2']));
    const files = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
    expect(files.sort()).toEqual(['compose/blue/1.json', 'compose/green/2.json']);
    for (const path of files) {
      const text = readFileSync(join(state, path), 'utf8');
      expect(text).not.toContain('to$');
      expect(text).not.toContain('pa$');
      expect(text).not.toContain('word-of-the-db');
      expect(statSync(join(state, path)).mode & 0o777).toBe(0o600);
    }
  });
});

describe('going back', () => {
  test('starts the former release as it was, not only its image', async () => {
    const { name, release, spec, instances, change, one, state } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await shop.ensureStopped('blue', 2_000);
    change('GREETING: hello', 'GREETING: good morning\n      MORE: settings');
    const back = await shop.ensureRunning('blue', spec(one), {}, writer(2));
    expect(back).toMatchObject({ release: '1', started: true, settings: 'as it ran before' });
    const servers = idsOf(await containersOf(name), 'server');
    const env = await environmentOf(servers.at(-1)!);
    expect(env).toContain('GREETING=hello');
    expect(env.some((line) => line.startsWith('MORE='))).toBe(false);

    await shop.ensureStopped('green', 2_000);
    const confirmed = { release: two, weights: { green: 1 } };
    const record = { confirmed, previous: one, at: '2026-01-01T00:00:00Z', fence: 1, key: 'key' };
    await writeRecord(createLocalHost(), state, record);
    const forth = await shop.ensureRunning('green', spec(two, 'green'), {}, writer(3));
    expect(forth).toMatchObject({ release: '2', settings: 'as it ran before' });

    await shop.ensureStopped('green', 2_000);
    const moved = await shop.ensureRunning('green', spec(one, 'green'), {}, writer(4));
    expect(moved).toMatchObject({ release: '1', settings: 'as it ran before' });
    expect(await environmentOf(idsOf(await containersOf(name), 'server').at(-1)!)).toContain('GREETING=hello');
    expect(await shop.observe('blue')).toMatchObject({ release: '1', image: one.image, running: true });
  });

  test('a release that failed starts with what was put right since', async () => {
    const { name, release, spec, instances, change } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await shop.ensureStopped('green', 2_000);
    change('GREETING: hello', 'GREETING: good morning');
    const again = await shop.ensureRunning('green', spec(two, 'green'), {}, writer(2));
    expect(again).toMatchObject({ settings: 'as the project has them' });
    const env = await environmentOf(idsOf(await containersOf(name), 'server').at(-1)!);
    expect(env).toContain('GREETING=good morning');
  });
});

describe('what an attempt that was cut off leaves behind', () => {
  test('made but not started: it is started', async () => {
    const { name, release, spec, instances, ports } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await shop.ensureStopped('green', 0);
    await createOnly(name, two.image!, ports.green!);
    expect(await shop.observe('green')).toBeNull();
    expect(await shop.ensureRunning('green', spec(two, 'green'), {}, writer())).toMatchObject({ started: true });
    expect(idsOf(await containersOf(name), 'server')).toHaveLength(2);
    expect(await shop.observe('green')).toMatchObject({ release: '2', running: true });
  });

  test('ended: it is seen as such, and started again', async () => {
    const { name, release, spec, instances } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    const id = idsOf(await containersOf(name), 'server').at(-1)!;
    await engine().getContainer(id).kill();
    expect(await shop.observe('green')).toMatchObject({ release: '2', running: false });
    await expect(shop.health('green')).rejects.toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    expect(await shop.ensureRunning('green', spec(two, 'green'), {}, writer())).toMatchObject({ started: true });
    expect(await shop.observe('green')).toMatchObject({ release: '2', running: true });
  });

  test('two of them: one runs in the end, and a stop removes both', async () => {
    const { name, release, spec, instances, ports } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    for (let count = 0; count < 2; count++) await createOnly(name, two.image!, ports.green!);
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    expect(idsOf(await containersOf(name), 'server')).toHaveLength(2);
    await createOnly(name, two.image!, ports.green!);
    await shop.ensureStopped('green', 0);
    expect(idsOf(await containersOf(name), 'server')).toHaveLength(1);
    expect(await shop.ensureStopped('green', 0)).toEqual({ release: null, end: 'was gone' });
  });

  /** What `up` leaves when it dies between making a container and starting it. */
  async function createOnly(name: string, image: string, port: number): Promise<void> {
    const [server] = idsOf(await containersOf(name), 'server');
    const { Config } = await engine().getContainer(server!).inspect();
    await engine().createContainer({
      Image: image,
      Labels: { ...Config.Labels, 'com.docker.compose.container-number': '9', 'holdpoint.release': '2' },
      HostConfig: {
        NetworkMode: `${name}_default`,
        PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      },
    });
  }
});

describe('a release that does not stand', () => {
  test('says its last lines at once, and leaves the old one alone', async () => {
    const { release, spec, instances } = await aRunningProject();
    const two = await release('2', { broken: 'exits' });
    const shop = instances();
    const attempt = shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await expect(attempt).rejects.toMatchObject({
      type: 'InstanceExited',
      nonRetryable: true,
      message: expect.stringContaining('no such table: orders'),
    });
    expect(await shop.tail('green')).toContain('no such table: orders');
    expect(await textOf(shop.address('blue'))).toBe('{"version":"1"}');
  });

  test('also where the project starts it again and again', async () => {
    const { release, spec, instances, change } = await aRunningProject();
    change('stop_grace_period: 2s', 'stop_grace_period: 2s\n    restart: always');
    const two = await release('2', { broken: 'exits' });
    const shop = instances();
    const attempt = shop.ensureRunning('green', spec(two, 'green'), {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    expect(await shop.ensureStopped('green', 1_000)).toMatchObject({ release: '2' });
    expect(await shop.observe('green')).toBeNull();
  });

  test('a port that something else has is named', async () => {
    const { release, spec, instances, ports } = await aRunningProject();
    const other = createServer().listen(ports.green, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const attempt = instances().ensureRunning('green', spec(await release('2'), 'green'), {}, writer());
    await expect(attempt)
      .rejects.toMatchObject({ type: 'PortTaken', nonRetryable: true })
      .finally(() => other.close());
  });
});

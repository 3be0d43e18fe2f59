import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { aDockerTarget, containersOf, inspected, textOf, writer } from '../../support/containers.ts';
import { engine } from '../../support/docker-engine.ts';

type DockerTarget = Awaited<ReturnType<typeof aDockerTarget>>;

/** Until it answers, for at most 10 s. */
async function answers({ instances }: DockerTarget, slot: string): Promise<string> {
  for (let left = 100; ; left--) {
    try {
      return await textOf(instances.address(slot));
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}

describe('starting an instance', () => {
  test('it runs, is observed, and answers at its address', async () => {
    const at = await aDockerTarget();
    const { instances, ports, spec } = at;
    const two = await at.release('2');
    expect(await instances.observe('blue')).toBeNull();
    const evidence = await instances.ensureRunning('blue', spec(two), {}, writer());
    expect(evidence).toMatchObject({ release: '2', port: ports.blue, started: true, image: two.image });
    expect(await instances.observe('blue')).toEqual({
      release: '2',
      image: two.image,
      port: ports.blue,
      running: true,
    });
    expect(instances.address('blue')).toBe(`http://127.0.0.1:${ports.blue}`);
    expect(await answers(at, 'blue')).toBe('{"version":"2"}');
    expect(await instances.observe('green')).toBeNull();
    expect(await containersOf(at.service)).toEqual([`${at.service}-blue`]);
  });

  test('a second time finds it running', async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer());
    const before = await inspected(`${at.service}-blue`);
    expect(await at.instances.ensureRunning('blue', at.spec(two), {}, writer())).toMatchObject({ started: false });
    expect((await inspected(`${at.service}-blue`))!.Id).toBe(before!.Id);
  });

  test('eight overlapping attempts start it once', async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    const attempts = Array.from({ length: 8 }, () => at.instances.ensureRunning('blue', at.spec(two), {}, writer()));
    const all = await Promise.all(attempts);
    expect(all.every(({ release }) => release === '2')).toBe(true);
    expect(await containersOf(at.service)).toEqual([`${at.service}-blue`]);
    await answers(at, 'blue');
    expect(await at.instances.tail('blue')).toBe('version 2 on 8080');
  });

  test('one that was made but not started when the worker died is finished by the next attempt', async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer());
    const { Config } = (await inspected(`${at.service}-blue`))!;
    await at.instances.ensureStopped('blue', 0);
    const half = await engine().createContainer({
      name: `${at.service}-blue`,
      Image: two.image!,
      Labels: Config.Labels,
      Env: ['HALF=made'],
    });
    expect(await at.instances.observe('blue')).toBeNull();
    expect(await at.instances.ensureRunning('blue', at.spec(two), {}, writer())).toMatchObject({ started: true });
    expect((await inspected(`${at.service}-blue`))!.Id).toBe(half.id);
  });

  test('what another step has left in the slot, never started, is replaced', async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer());
    const { Config } = (await inspected(`${at.service}-blue`))!;
    await at.instances.ensureStopped('blue', 0);
    const half = await engine().createContainer({
      name: `${at.service}-blue`,
      Image: two.image!,
      Labels: Config.Labels,
    });
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer(2));
    expect((await inspected(`${at.service}-blue`))!.Id).not.toBe(half.id);
    expect(await answers(at, 'blue')).toBe('{"version":"2"}');
  });

  test('a slot in which another release runs is refused, and that one is left alone', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('1')), {}, writer());
    const attempt = at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer(2));
    await expect(attempt).rejects.toMatchObject({ type: 'SlotTaken', nonRetryable: true });
    await expect(attempt).rejects.toThrow(`1 runs there as container ${at.service}-blue`);
    expect(await at.instances.observe('blue')).toMatchObject({ release: '1', running: true });
  });

  test('of two releases that want one slot at the same moment one gets it', async () => {
    const at = await aDockerTarget();
    const releases = [await at.release('1'), await at.release('2')];
    const results = await Promise.allSettled(
      releases.map((one, i) => at.instances.ensureRunning('blue', at.spec(one), {}, writer(1, `step ${i}`))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { type: 'SlotTaken' } });
    expect(await at.instances.observe('blue')).toMatchObject({ running: true });
  });

  test('an older deploy never replaces what a newer one has made', async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    await at.instances.ensureRunning('blue', at.spec(two), {}, writer(7));
    await engine().getContainer(`${at.service}-blue`).stop({ t: 0 });
    const attempt = at.instances.ensureRunning('blue', at.spec(await at.release('1')), {}, writer(6));
    await expect(attempt).rejects.toMatchObject({ type: 'Fenced', nonRetryable: true });
    expect(await at.instances.observe('blue')).toMatchObject({ release: '2', running: false });
  });

  test('a port that is taken is said with who has it, and nothing is left in the slot', async () => {
    const at = await aDockerTarget();
    const one = await at.release('1');
    const other = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(one), {}, writer());
    const wish = other.spec(one, { port: at.ports.blue });
    const attempt = other.instances.ensureRunning('blue', wish, {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'PortTaken', nonRetryable: true });
    await expect(attempt).rejects.toThrow(`port ${at.ports.blue} is taken by container ${at.service}-blue`);
    expect(await containersOf(other.service)).toEqual([]);
  });

  test('a release that ends at once says so, with its exit code and last words, without secrets', async () => {
    const at = await aDockerTarget();
    const bad = await at.release('2', { broken: 'exits' });
    const attempt = at.instances.ensureRunning('blue', at.spec(bad), {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    await expect(attempt).rejects.toThrow(/with exit code 3\. The last it printed:\nno such table: orders$/);

    await at.instances.ensureStopped('blue', 0);
    const telling = { command: ['bash', '-c', 'echo "key is $API_KEY"; exit 4'], secrets: ['API_KEY'] };
    const told = at.instances.ensureRunning('blue', at.spec(bad, telling), { API_KEY: 'sk-12345' }, writer());
    await expect(told).rejects.toThrow(/exit code 4\. The last it printed:\nkey is \*\*\*$/);
    expect(await at.instances.tail('blue')).toBe('key is ***');
  });

  test('a release that runs out of memory at once is said to have', async () => {
    const at = await aDockerTarget({ memory: '32m' });
    const hungry = await at.release('2', { broken: 'hungry' });
    await at.instances.ensureRunning('blue', at.spec(hungry), {}, writer()).catch(() => {});
    await expect(
      (async () => {
        for (;;) {
          await at.instances.health('blue');
          await sleep(50);
        }
      })(),
    ).rejects.toThrow(/ended in blue .*out of memory \(exit code 137\)|out of memory/);
  });

  test('a command that the image does not have is named, and nothing is left in the slot', async () => {
    const at = await aDockerTarget();
    const wish = at.spec(await at.release('2'), { command: ['gunicorn', 'shop:app'] });
    const attempt = at.instances.ensureRunning('blue', wish, {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'NoSuchCommand', nonRetryable: true });
    await expect(attempt).rejects.toThrow('gunicorn');
    expect(await containersOf(at.service)).toEqual([]);
  });

  test('an image that is not there is refused before anything is made', async () => {
    const at = await aDockerTarget();
    const gone = { version: '9', folder: at.folder, image: `sha256:${'0'.repeat(64)}` };
    const attempt = at.instances.ensureRunning('blue', at.spec(gone), {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'ImageMissing', nonRetryable: true });
  });

  test("another environment's container of the same name is left alone", async () => {
    const at = await aDockerTarget();
    const two = await at.release('2');
    await engine().createContainer({
      name: `${at.service}-blue`,
      Image: two.image!,
      Labels: { 'holdpoint.service': at.service, 'holdpoint.slot': 'blue', 'holdpoint.folder': '/srv/staging' },
    });
    const attempt = at.instances.ensureRunning('blue', at.spec(two), {}, writer());
    await expect(attempt).rejects.toMatchObject({ type: 'NameTaken', nonRetryable: true });
    await expect(attempt).rejects.toThrow('/srv/staging');
    expect(await at.instances.ensureStopped('blue', 0)).toEqual({ release: null, end: 'was gone' });
    expect(await containersOf(at.service)).toEqual([`${at.service}-blue`]);
  });

  test('it gets PORT, its slot and release, the variables of the runbook and the secrets', async () => {
    const at = await aDockerTarget();
    const wish = at.spec(await at.release('2'), { env: { GREETING: 'hello' }, secrets: ['API_KEY'] });
    await at.instances.ensureRunning('blue', wish, { API_KEY: 'sk-12345' }, writer());
    const { Config, HostConfig } = (await inspected(`${at.service}-blue`))!;
    const wanted = ['GREETING=hello', 'API_KEY=sk-12345', 'PORT=8080', 'HOLDPOINT_SLOT=blue', 'HOLDPOINT_RELEASE=2'];
    expect(Config.Env).toEqual(expect.arrayContaining(wanted));
    expect(JSON.stringify(Config.Labels)).not.toContain('sk-12345');
    expect(HostConfig.PortBindings['8080/tcp']).toEqual([{ HostIp: '127.0.0.1', HostPort: String(at.ports.blue) }]);
  });

  test('it comes back after a reboot, and not before it has stood for a moment', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer());
    expect((await inspected(`${at.service}-blue`))!.HostConfig.RestartPolicy!.Name).toBe('unless-stopped');
    await at.instances
      .ensureRunning(
        'green',
        at.spec(await at.release('3', { broken: 'exits' }), { port: at.ports.green }),
        {},
        writer(),
      )
      .catch(() => {});
    expect((await inspected(`${at.service}-green`))!.HostConfig.RestartPolicy!.Name).toBe('no');
  });
});

describe('stopping an instance', () => {
  test('it ends gracefully, is removed, and a second time finds it gone', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer());
    await answers(at, 'blue');
    expect(await at.instances.ensureStopped('blue', 5_000)).toEqual({ release: '2', end: 'exit code 0' });
    expect(await containersOf(at.service)).toEqual([]);
    expect(await at.instances.observe('blue')).toBeNull();
    expect(await at.instances.ensureStopped('blue', 5_000)).toEqual({ release: null, end: 'was gone' });
  });

  test('one that does not listen is killed, and the evidence says so', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2', { broken: 'deaf' })), {}, writer());
    await answers(at, 'blue');
    const { end, last } = await at.instances.ensureStopped('blue', 1_000);
    expect(end).toBe('killed after 1 s');
    expect(last).toMatch(/not now$/);
  });

  test('one that has died is removed, and how it ended is told', async () => {
    const at = await aDockerTarget();
    const bad = await at.release('2', { broken: 'exits' });
    await at.instances.ensureRunning('blue', at.spec(bad), {}, writer()).catch(() => {});
    expect(await at.instances.observe('blue')).toMatchObject({ release: '2', running: false });
    const evidence = await at.instances.ensureStopped('blue', 5_000);
    expect(evidence).toEqual({ release: '2', end: 'had ended with exit code 3', last: 'no such table: orders' });
    expect(await containersOf(at.service)).toEqual([]);
  });
});

describe('an instance that runs', () => {
  test('is healthy by its own account, once it is', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2')), {}, writer());
    const seen = new Set<unknown>();
    while (!seen.has('healthy')) {
      seen.add(await at.instances.health('blue'));
      await sleep(100);
    }
    expect([...seen].every((one) => one === 'starting' || one === 'healthy')).toBe(true);
  });

  test('says nothing of its health where its image cannot tell', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2', { healthcheck: false })), {}, writer());
    expect(await at.instances.health('blue')).toBeNull();
  });

  test('is found to be unhealthy, and to have ended with its last lines', async () => {
    const at = await aDockerTarget();
    await at.instances.ensureRunning('blue', at.spec(await at.release('2', { broken: 'unhealthy' })), {}, writer());
    while ((await at.instances.health('blue')) !== 'unhealthy') await sleep(200);
    await engine().getContainer(`${at.service}-blue`).stop({ t: 5 });
    const attempt = at.instances.health('blue');
    await expect(attempt).rejects.toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    await expect(attempt).rejects.toThrow('version 2 on 8080');
  });

  test('one that Docker starts again and again is said to have ended', async () => {
    const at = await aDockerTarget();
    const late = { command: ['bash', '-c', 'sleep 1.5; echo gone; exit 5'] };
    await at.instances.ensureRunning('blue', at.spec(await at.release('2'), late), {}, writer());
    await expect(
      (async () => {
        for (;;) {
          await at.instances.health('blue');
          await sleep(100);
        }
      })(),
    ).rejects.toMatchObject({ type: 'InstanceExited', message: expect.stringContaining('gone') });
  });

  test('tells what it printed between two moments, with the times, and no secret', async () => {
    const at = await aDockerTarget();
    const talking = {
      command: ['bash', '-c', 'echo one; echo "two $API_KEY" >&2; sleep 1.2; echo three; sleep 60'],
      secrets: ['API_KEY'],
    };
    const began = Date.now();
    await at.instances.ensureRunning(
      'blue',
      at.spec(await at.release('2'), talking),
      { API_KEY: 'sk-12345' },
      writer(),
    );
    let lines = await at.instances.logs('blue', began, Date.now());
    while (lines.length < 3) {
      await sleep(100);
      lines = await at.instances.logs('blue', began, Date.now());
    }
    expect(lines.map(({ text }) => text).sort()).toEqual(['one', 'three', 'two ***']);
    expect(lines.every(({ at: time }) => time !== null && time >= began - 50)).toBe(true);
    const third = lines.at(-1)!.at!;
    expect((await at.instances.logs('blue', began, third - 500)).map(({ text }) => text)).not.toContain('three');
    expect((await at.instances.logs('blue', third - 500, Date.now())).map(({ text }) => text)).toEqual(['three']);
    expect(await at.instances.logs('green', began, Date.now())).toEqual([]);
  });

  test('stays out of the way of another service on the same engine', async () => {
    const [one, other] = [await aDockerTarget(), await aDockerTarget()];
    await one.instances.ensureRunning('blue', one.spec(await one.release('1')), {}, writer());
    await other.instances.ensureRunning('blue', other.spec(await other.release('1')), {}, writer());
    await other.instances.ensureStopped('blue', 0);
    expect(await one.instances.observe('blue')).toMatchObject({ running: true });
  });
});

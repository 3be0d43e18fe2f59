import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { aMachine, clean, ports, template, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

describe('starting a unit', () => {
  test('it runs, is observed, answers at its address, and is enabled', async () => {
    const instances = machine.instances();
    expect(await instances.observe('blue')).toBeNull();
    const evidence = await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    expect(evidence).toMatchObject({ release: '2', port: 4001, started: true, enabled: true });
    expect(await instances.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
    expect(instances.address('blue')).toBe(`http://${machine.vm.address}:4001`);
    expect(await machine.ask('blue')).toMatchObject({ release: '2', pid: evidence.pid });
    expect(await instances.health('blue')).toBeNull();
    expect(await instances.tail('blue')).toContain('this is 2');
    expect(await instances.observe('green')).toBeNull();
  });

  test('a second time finds it running', async () => {
    const instances = machine.instances();
    const { pid } = await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    const again = await instances.ensureRunning('blue', await machine.spec('2'), {}, writer('another'));
    expect(again).toMatchObject({ pid, started: false });
    expect(await machine.starts('blue')).toEqual([pid]);
  });

  test('eight overlapping attempts start it once', async () => {
    const spec = await machine.spec('2');
    const attempts = Array.from({ length: 8 }, () => machine.instances().ensureRunning('blue', spec, {}, writer()));
    const all = await Promise.all(attempts);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ started }) => started)).toHaveLength(1);
    expect(await machine.starts('blue')).toEqual([all[0]!.pid]);
  });

  test('another release in the slot is refused, and left as it is', async () => {
    const instances = machine.instances();
    const { pid } = await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    await expect(instances.ensureRunning('blue', await machine.spec('3'), {}, writer())).rejects.toMatchObject({
      type: 'SlotTaken',
      nonRetryable: true,
      message: expect.stringContaining('2 runs there (process'),
    });
    expect(await machine.ask('blue')).toMatchObject({ release: '2', pid });
  });

  test('both slots run beside each other', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await instances.ensureRunning('green', await machine.spec('2', { port: ports.green }), {}, writer());
    expect([(await machine.ask('blue')).release, (await machine.ask('green')).release]).toEqual(['1', '2']);
  });

  test('a value with newlines, quotes, backslashes and dollars arrives, and nobody else can read its file', async () => {
    const value = 'one\ntwo "three" \'four\' \\five\\\\ $PATH ${HOME} `six` #seven; \t%i \r é\n';
    const spec = await machine.spec('2', { env: { PLAIN: value }, secrets: ['SECRET'] });
    await machine.instances().ensureRunning('blue', spec, { SECRET: value }, writer());
    const { env } = await machine.ask('blue');
    expect(env).toMatchObject({
      PLAIN: value,
      SECRET: value,
      PORT: '4001',
      HOLDPOINT_SLOT: 'blue',
      HOLDPOINT_RELEASE: '2',
    });
    expect(await machine.sh('stat -c "%a %U" /srv/shop/slots/blue.env')).toBe('600 deploy\n');
  });

  test('one that ends at once is told with its exit code and its last lines, without secrets', async () => {
    const spec = await machine.spec('2', { env: { SERVICE: 'fails' }, secrets: ['SECRET'] });
    const start = machine.instances().ensureRunning('blue', spec, { SECRET: 'correct-horse' }, writer());
    const error = await start.then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    expect(error.message).toMatch(/shop 2 ended at once in blue \(shop@blue\.service on .*\) with exit code 3/);
    expect(error.message).toContain('cannot open ***');
    expect(error.message).not.toContain('correct-horse');
    expect(await machine.instances().observe('blue')).toMatchObject({ release: '2', running: false });
  });

  test('one that failed too often is started all the same', async () => {
    await machine.unit(
      'limited@.service',
      template().replace('[Unit]', '[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=2'),
    );
    const instances = machine.instances({ unit: 'limited@' });
    const failing = await machine.spec('2', { env: { SERVICE: 'fails' } });
    for (let time = 0; time < 3; time++) {
      await expect(instances.ensureRunning('blue', failing, {}, writer())).rejects.toMatchObject({
        type: 'InstanceExited',
        message: expect.stringContaining('with exit code 3'),
      });
    }
    const evidence = await instances.ensureRunning('blue', await machine.spec('3'), {}, writer());
    expect(evidence).toMatchObject({ release: '3', started: true });
    await instances.ensureStopped('blue', 1_000);
  });

  test('one that dies later is seen by its health', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    expect(await instances.health('blue')).toBeNull();
    await machine.end('blue');
    while ((await instances.observe('blue'))!.running) await sleep(200);
    await expect(instances.health('blue')).rejects.toMatchObject({
      type: 'InstanceExited',
      message: expect.stringMatching(/2 ended in blue .* with exit code 7[\s\S]*out of luck/),
    });
  });

  test('one that keeps ending is not well, although systemd starts it again each time', async () => {
    await machine.unit('crashing@.service', `${template().replace('[Install]', 'Restart=always\n[Install]')}`);
    const instances = machine.instances({ unit: 'crashing@' });
    await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    const health = async () => {
      for (;;) {
        await machine.end('blue');
        await instances.health('blue');
      }
    };
    await expect(health()).rejects.toMatchObject({
      type: 'InstanceExited',
      message: expect.stringMatching(/systemd keeps starting it again[\s\S]*out of luck/),
    });
    await instances.ensureStopped('blue', 1_000);
  });

  test('a unit of Type=notify has started when it says so', async () => {
    await machine.unit('telling@.service', template().replace('[Service]', '[Service]\nType=notify'));
    const instances = machine.instances({ unit: 'telling@' });
    const began = Date.now();
    await instances.ensureRunning('blue', await machine.spec('2', { env: { SERVICE: 'slow' } }), {}, writer());
    expect(Date.now() - began).toBeGreaterThan(3_000);
    expect(await instances.health('blue')).toBe('healthy');
    await instances.ensureStopped('blue', 1_000);
  });

  test('a missing unit is refused with the file to paste, which is all that it needs', async () => {
    const instances = machine.instances({ unit: 'pasted@' });
    await expect(instances.notices()).rejects.toMatchObject({ type: 'UnitMissing' });
    const spec = await machine.spec('2', { command: ['python3', '-u', 'service.py', '--port=4001', '100% $HOME "x"'] });
    const start = () => instances.ensureRunning('blue', spec, {}, writer());
    const error = await start().then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ type: 'UnitMissing', nonRetryable: true });
    expect(error.message).toContain('write /etc/systemd/system/pasted@.service');
    await machine.unit('pasted@.service', error.message.slice(error.message.indexOf('[Unit]')));
    expect(await start()).toMatchObject({
      started: true,
      enabled: true,
      command: expect.stringContaining('ExecStart'),
    });
    const pid = await machine.show('pasted@blue', 'MainPID');
    const argv = await machine.sh(`tr '\\0' '|' </proc/${pid}/cmdline`);
    expect(argv).toMatch(/python3\|-u\|service\.py\|--port=4001\|100% \$HOME "x"\|$/);
    expect(await instances.notices()).toEqual([]);
    await instances.ensureStopped('blue', 1_000);
  });

  test('a release that is not there is refused before anything is changed', async () => {
    const spec = await machine.spec('2', { release: { version: '9', folder: '/srv/shop/releases/9' } });
    await expect(machine.instances().ensureRunning('blue', spec, {}, writer())).rejects.toMatchObject({
      type: 'NoSuchFolder',
    });
    expect(await machine.instances().observe('blue')).toBeNull();
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import { aMachine, clean, hostOf, ports, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

describe('stopping a unit', () => {
  test('it ends in order, its secrets are gone, and the slot is as empty as before', async () => {
    const instances = machine.instances();
    const spec = await machine.spec('2', { secrets: ['SECRET'] });
    await instances.ensureRunning('blue', spec, { SECRET: 'correct-horse' }, writer());
    expect(await instances.ensureStopped('blue', 5_000)).toEqual({ release: '2', end: 'in order' });
    expect(await instances.observe('blue')).toBeNull();
    expect(await machine.sh('grep -rl correct-horse /srv/shop/slots || echo none')).toBe('none\n');
    expect(await machine.show('shop@blue', 'ActiveState')).toBe('inactive');
    expect(await instances.tail('blue')).toContain('this is 2');
  });

  test('a second time finds it stopped', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    await instances.ensureStopped('blue', 5_000);
    expect(await instances.ensureStopped('blue', 5_000)).toEqual({ release: null, end: 'was gone' });
    expect(await instances.ensureStopped('green', 5_000)).toEqual({ release: null, end: 'was gone' });
  });

  test('one that is deaf to SIGTERM is killed after the grace, not after what its unit says', async () => {
    const instances = machine.instances();
    const { pid } = await instances.ensureRunning(
      'blue',
      await machine.spec('2', { env: { SERVICE: 'deaf' } }),
      {},
      writer(),
    );
    expect(await instances.ensureStopped('blue', 1_500)).toEqual({ release: '2', end: 'killed after 1.5 s' });
    expect(await machine.sh(`[ -d /proc/${pid} ] && echo there || echo gone`)).toBe('gone\n');
    expect(await machine.show('shop@blue', 'ActiveState')).toBe('inactive');
  });

  test('a unit with less patience than the grace is told as such', async () => {
    await machine.unit(
      'hasty@.service',
      (await machine.sh('cat /etc/systemd/system/shop@.service')).replace('[Service]', '[Service]\nTimeoutStopSec=1'),
    );
    const instances = machine.instances({ unit: 'hasty@' });
    await instances.ensureRunning('blue', await machine.spec('2', { env: { SERVICE: 'deaf' } }), {}, writer());
    const { end } = await instances.ensureStopped('blue', 30_000);
    expect(end).toBe("killed after the unit's own TimeoutStopSec, 1s");
  });

  test('one that had died is empty afterwards', async () => {
    const instances = machine.instances();
    const failing = await machine.spec('2', { env: { SERVICE: 'fails' } });
    await expect(instances.ensureRunning('blue', failing, {}, writer())).rejects.toThrow();
    expect(await instances.ensureStopped('blue', 1_000)).toEqual({ release: '2', end: 'was gone' });
    expect(await instances.observe('blue')).toBeNull();
    expect(await machine.show('shop@blue', 'ActiveState')).toBe('inactive');
  });

  test('after a reboot exactly what was live runs again', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await instances.ensureRunning('green', await machine.spec('2', { port: ports.green }), {}, writer());
    await instances.ensureStopped('blue', 5_000);
    await machine.vm.reboot();
    const back = machine.instances(undefined, { host: hostOf(machine.vm, 'deploy') });
    await expect
      .poll(() => back.observe('green'), { timeout: 30_000 })
      .toEqual({ release: '2', port: 4002, running: true });
    expect(await back.observe('blue')).toBeNull();
    await expect
      .poll(() => machine.ask('green').catch(() => null), { timeout: 30_000 })
      .toMatchObject({ release: '2' });
    const again = await back.ensureRunning('green', await machine.spec('2', { port: ports.green }), {}, writer());
    expect(again).toMatchObject({ started: false });
  });
});

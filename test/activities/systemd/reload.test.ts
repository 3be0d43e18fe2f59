import { afterEach, describe, expect, test } from 'vitest';
import { aMachine, clean, template, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

describe('reloading a unit', () => {
  test('it takes up the new release in the same process', async () => {
    const instances = machine.instances();
    const { pid } = await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    const evidence = await instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'));
    expect(evidence).toMatchObject({ release: '2', pid, started: false, reloaded: true });
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '2', pid });
    expect(await instances.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
    expect(await machine.starts('blue')).toEqual([pid]);
  });

  test('an attempt of the same step finds it done, and back is another reload', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'));
    const again = await instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'));
    expect(again).toMatchObject({ release: '2', reloaded: false });
    const back = await instances.ensureReloaded!('blue', await machine.spec('1'), {}, writer('undo'));
    expect(back).toMatchObject({ release: '1', reloaded: true });
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '1' });
  });

  test('a restart by systemd afterwards starts the release that was reloaded', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'));
    await machine.sh('systemctl restart shop@blue');
    expect(await instances.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
    await expect
      .poll(() => machine.ask('blue').catch(() => null))
      .toMatchObject({ release: '2', env: { HOLDPOINT_RELEASE: '2' } });
  });

  test('where nothing runs it is started', async () => {
    const instances = machine.instances();
    const evidence = await instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer());
    expect(evidence).toMatchObject({ release: '2', started: true });
  });

  test('a unit without ExecReload is refused, and runs on', async () => {
    await machine.unit('firm@.service', template().replace(/^ExecReload.*\n/m, ''));
    const instances = machine.instances({ unit: 'firm@' });
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await expect(instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer())).rejects.toMatchObject({
      type: 'NoReload',
      message: expect.stringContaining('ExecReload='),
    });
    expect(await instances.observe('blue')).toMatchObject({ release: '1' });
    await instances.ensureStopped('blue', 1_000);
  });

  test('a reload that fails is told, what ran runs on, and the next attempt reloads', async () => {
    await machine.unit(
      'moody@.service',
      template().replace(/^ExecReload=.*$/m, 'ExecReload=/bin/sh -c "test -e /srv/well && kill -HUP $MAINPID"'),
    );
    const instances = machine.instances({ unit: 'moody@' });
    const { pid } = await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    const attempt = async () => instances.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'));
    await expect(attempt()).rejects.toMatchObject({ type: 'ReloadFailed' });
    expect(await instances.observe('blue')).toMatchObject({ release: '1', running: true });
    expect(await machine.ask('blue')).toMatchObject({ release: '1', pid });
    await machine.sh('touch /srv/well');
    expect(await attempt()).toMatchObject({ reloaded: true, pid });
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '2', pid });
    await instances.ensureStopped('blue', 1_000);
  });
});

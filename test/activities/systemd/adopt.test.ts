import { afterEach, describe, expect, test } from 'vitest';
import { aMachine, clean, template, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

/** As somebody deployed it by hand before: one unit, and a link to the release. */
const byHand = template('Restart=on-failure')
  .replaceAll('/srv/shop/slots/%i', '/srv/shop/current')
  .replace('%i', 'one unit');

const own = () => machine.instances({ unit: 'shop.service' }, { ports: { web: 4001 } });
const spec = (version: string) => machine.spec(version, { env: { BASE: '/srv/shop/current' } });

async function running(version: string): Promise<string> {
  const { folder } = await machine.release(version);
  await machine.unit('shop.service', byHand);
  const env = 'PORT=4001\\nHOLDPOINT_SLOT=web\\nBASE=/srv/shop/current\\n';
  await machine.sh(
    `ln -sfn ${folder} /srv/shop/current; printf '${env}' >/srv/shop/current.env; chown -h deploy /srv/shop/current*`,
  );
  await machine.sh('systemctl enable --now shop');
  await expect.poll(() => machine.ask('blue').catch(() => null)).toMatchObject({ release: version });
  return await machine.show('shop', 'MainPID');
}

describe('a unit that ran before Holdpoint did', () => {
  test('it is observed as what its link names, and is left as it is', async () => {
    const pid = await running('41');
    expect(await own().observe('web')).toEqual({ release: '41', port: 4001, running: true, foreign: true });
    const evidence = await own().ensureRunning('web', await spec('41'), {}, writer());
    expect(evidence).toMatchObject({ release: '41', started: false, pid: Number(pid) });
    expect(await own().tail('web')).toContain('this is 41');
  });

  test('another release takes its place once it is stopped, and it can be gone back to', async () => {
    await running('41');
    await expect(own().ensureRunning('web', await spec('42'), {}, writer())).rejects.toMatchObject({
      type: 'SlotTaken',
    });
    expect(await own().ensureStopped('web', 5_000)).toEqual({ release: '41', end: 'in order' });
    expect(await own().observe('web')).toBeNull();
    expect(await machine.show('shop', 'UnitFileState')).toBe('disabled');
    await own().ensureRunning('web', await spec('42'), {}, writer());
    expect(await own().observe('web')).toEqual({ release: '42', port: 4001, running: true });
    expect(await machine.show('shop', 'UnitFileState')).toBe('enabled');
    await own().ensureStopped('web', 5_000);
    await own().ensureRunning('web', await spec('41'), {}, writer('undo'));
    await expect.poll(() => machine.ask('blue').catch(() => null)).toMatchObject({ release: '41' });
  });

  test('it takes up a release by a reload, in the same process', async () => {
    const pid = Number(await running('41'));
    expect(await own().ensureReloaded!('web', await spec('42'), {}, writer())).toMatchObject({ pid, reloaded: true });
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '42', pid });
    expect(await own().observe('web')).toEqual({ release: '42', port: 4001, running: true });
  });

  test('the link switched by somebody without a restart changes nothing of what Holdpoint started', async () => {
    await running('41');
    await own().ensureStopped('web', 5_000);
    await own().ensureRunning('web', await spec('42'), {}, writer());
    const { folder } = await machine.release('43');
    await machine.sh(`ln -sfn ${folder} /srv/shop/current`);
    expect(await own().observe('web')).toMatchObject({ release: '42' });
  });

  test('of one that works in a fixed folder nobody can tell the release', async () => {
    await machine.release('41');
    await machine.sh('cp -r /srv/shop/releases/41 /srv/app');
    await machine.unit(
      'fixed.service',
      byHand
        .replace('WorkingDirectory=/srv/shop/current', 'WorkingDirectory=/srv/app')
        .replace(/EnvironmentFile=.*/, 'Environment=PORT=4001 HOLDPOINT_SLOT=web'),
    );
    await machine.sh('systemctl start fixed');
    const instances = machine.instances({ unit: 'fixed' }, { ports: { web: 4001 } });
    expect(await instances.observe('web')).toEqual({
      release: 'unknown-app',
      port: 4001,
      running: true,
      foreign: true,
    });
    const notices = await instances.notices();
    expect(notices.join('\n')).toContain('no way back to it');
    expect(notices.join('\n')).toContain('does not read /srv/shop/current.env');
    expect(notices.join('\n')).toContain('names /srv/shop/current nowhere');
    await machine.sh('systemctl stop fixed; rm -r /srv/app');
  });

  test('one unit for two ports is refused', async () => {
    expect(() => machine.instances({ unit: 'shop' })).toThrow('give it one port, or a template, `unit: shop@`');
  });
});

describe('what a person is told before a deploy', () => {
  test('nothing of a template that has all it needs', async () => {
    await machine.unit('good@.service', template('Restart=on-failure'));
    expect(await machine.instances({ unit: 'good@' }).notices()).toEqual([]);
  });

  test('what one unit costs, and who runs in it', async () => {
    await running('41');
    const [adopted, one, ...more] = await own().notices();
    expect(adopted).toMatch(
      /shop\.service on .*, which Holdpoint did not start, runs 41 in web: it is taken over as it is\./,
    );
    expect(one).toContain('a restart has an outage; a reload (strategy: reload) has none');
    expect(more).toEqual([]);
  });

  test('that it is not started again, neither after a crash nor after a reboot, and that it was changed', async () => {
    await machine.unit('bare@.service', template().replace(/\[Install\][\s\S]*/, ''));
    const instances = machine.instances({ unit: 'bare@' });
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    await machine.sh("sleep 1; printf '#\\n' >>/etc/systemd/system/bare@.service");
    const notices = (await instances.notices()).join('\n');
    expect(notices).toContain('has no Restart=');
    expect(notices).toContain('has no [Install]');
    expect(notices).toMatch(/bare@blue\.service on .* was changed since systemd has read it/);
    await instances.ensureStopped('blue', 1_000);
  });
});

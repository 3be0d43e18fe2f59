import { afterEach, describe, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { aMachine, clean, hostOf, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(async () => {
  await clean(machine);
  await machine.sh('rm -f /etc/sudoers.d/shop; chown -R deploy /srv/shop');
});

describe('the right to use systemctl', () => {
  test('a sudo that asks for a password is refused before anything is changed, and the line it is told with is enough', async () => {
    const [spec, next] = [await machine.spec('2'), await machine.spec('3')];
    await machine.sh('chown -R asks /srv/shop');
    const instances = () => machine.instances({ unit: 'shop@' }, { host: hostOf(machine.vm, 'asks') });
    const error = await instances()
      .ensureRunning('blue', spec, {}, writer())
      .then(
        () => null,
        (thrown) => thrown,
      );
    expect(error).toMatchObject({ type: 'SudoPassword', nonRetryable: true });
    expect(await machine.sh('ls -A /srv/shop/slots')).toBe('blue.lock\n');
    const line = error.message.split('\n').at(-1);
    const told = await instances().notices();
    expect(told.find((notice) => notice.startsWith('sudo on'))).toContain(line);
    expect(line).toMatch(/^asks ALL=\(root\) NOPASSWD: \/usr\/bin\/systemctl start --no-block shop@blue\.service, /);
    await machine.sh(
      `printf '%s\\n' '${line}' >/etc/sudoers.d/shop && chmod 440 /etc/sudoers.d/shop && visudo -cqf /etc/sudoers.d/shop`,
    );
    expect(await instances().notices()).not.toContainEqual(expect.stringContaining('sudo on'));
    expect(await instances().ensureRunning('blue', spec, {}, writer())).toMatchObject({ started: true, enabled: true });
    expect(await instances().ensureReloaded!('blue', next, {}, writer('reload'))).toMatchObject({
      reloaded: true,
    });
    expect(await instances().ensureStopped('blue', 5_000)).toMatchObject({ release: '3' });
  });

  test('root needs no sudo', async () => {
    const instances = machine.instances({ unit: 'shop@' }, { host: hostOf(machine.vm, 'root') });
    expect(await instances.ensureRunning('blue', await machine.spec('2'), {}, writer())).toMatchObject({
      started: true,
    });
  });

  test('who has none, and shall not use it, is told so', async () => {
    const instances = machine.instances({ unit: 'shop@', sudo: false });
    await expect(instances.ensureRunning('blue', await machine.spec('2'), {}, writer())).rejects.toMatchObject({
      type: 'NotRoot',
    });
  });

  test('a folder that the user cannot write to is refused with the command that makes it', async () => {
    await machine.sh('rm -rf /srv/shop/slots; chown root /srv/shop');
    const spec = { ...(await machine.spec('2').catch(() => null)), release: { version: '2', folder: '/srv' } };
    const wanted = { service: 'shop', port: 4001, command: [], env: {}, secrets: [], ...spec };
    await expect(machine.instances().ensureRunning('blue', wanted, {}, writer())).rejects.toMatchObject({
      type: 'FolderNotWritable',
      message: expect.stringContaining('install -d -o deploy /srv/shop/slots'),
    });
  });
});

test('a machine that systemd does not run is refused', async () => {
  const sh = createLocalHost();
  const without = {
    ...sh,
    exec: (argv: string[], options: object) =>
      sh.exec(['env', 'PATH=/nowhere', `/bin/${argv[0]}`, ...argv.slice(1)], options),
  };
  const instances = machine.instances({ unit: 'shop@' }, { host: without });
  await expect(instances.observe('blue')).rejects.toMatchObject({ type: 'NoSystemd' });
});

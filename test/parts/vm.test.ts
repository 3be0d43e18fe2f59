import { execFileSync } from 'node:child_process';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { forContainers } from '../support/database-for-containers.ts';
import { asksPassword, firstBoot, startVm, startVms, type Vm } from '../support/vm.ts';
import { ssh } from '../support/vm-ssh.ts';
import { wheelsFor } from '../support/vm-wheels.ts';

let vm: Vm;
beforeAll(async () => {
  const wheels = await wheelsFor(['psycopg[binary]==3.3.9']);
  const began = Date.now();
  vm = await startVm({ name: 'web-1', mounts: { '/wheels': wheels } });
  console.log(`1 machine, image included: ${Date.now() - began} ms`);
}, firstBoot);

const root = (command: string) => ssh(vm, command, { user: 'root' });

/** Tells systemd that it is ready, then writes where its state is. */
const notifying = `[Service]
Type=notify
NotifyAccess=all
User=deploy
StateDirectory=notifying
ExecStart=/bin/sh -c 'pwd >"$STATE_DIRECTORY/was-here"; systemd-notify --ready; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`;

const installed = (unit: string, name: string) => vm.exec(['sh', '-c', 'printf %s "$1" >"$2"', 'sh', unit, name]);

test('a machine has booted with everything running, and answers over ssh by its own host key', async () => {
  expect(await ssh(vm, 'systemctl is-system-running; hostname; whoami')).toMatchObject({
    code: 0,
    stdout: 'running\nweb-1\ndeploy\n',
  });
  const wrong = { ...vm, knownHostsLine: `${vm.address} ${otherKey()}` };
  expect(await ssh(wrong, 'true')).toMatchObject({
    code: 255,
    stderr: expect.stringContaining('IDENTIFICATION HAS CHANGED'),
  });
});

test('a unit of type notify starts, has its state directory, and is there after a reboot', async () => {
  await installed(notifying, '/etc/systemd/system/notifying.service');
  expect(await root('systemctl daemon-reload && systemctl enable --now notifying')).toMatchObject({ code: 0 });
  expect((await ssh(vm, 'systemctl is-active notifying')).stdout).toBe('active\n');
  expect((await root('stat -c %U /var/lib/notifying/was-here')).stdout).toBe('deploy\n');
  const before = { line: vm.knownHostsLine, at: await vm.bootedAt() };
  await vm.reboot();
  expect(await vm.bootedAt()).not.toBe(before.at);
  expect((await ssh(vm, 'systemctl is-active notifying')).stdout).toBe('active\n');
});

test('`deploy` may run systemctl and journalctl as root, and nothing else', async () => {
  await installed('[Service]\nExecStart=/bin/sh -c "echo hello; sleep infinity"\n', '/etc/systemd/system/said.service');
  expect(await ssh(vm, 'sudo -n systemctl daemon-reload && sudo -n systemctl start said')).toMatchObject({ code: 0 });
  expect((await ssh(vm, 'systemctl start said')).code).not.toBe(0);
  await expect.poll(async () => (await ssh(vm, 'sudo -n journalctl -u said -o cat')).stdout).toContain('hello');
  expect(await ssh(vm, 'sudo -n id')).toMatchObject({ code: 1, stderr: expect.stringContaining('password') });
});

test('`asks` is asked for a password by sudo', async () => {
  const user = 'asks';
  expect(await ssh(vm, 'sudo -n id -un', { user })).toMatchObject({ code: 1 });
  expect(await ssh(vm, `echo ${asksPassword} | sudo -S id -un`, { user })).toMatchObject({ code: 0, stdout: 'root\n' });
});

test('one that was killed, and one that was shut down, boots again with its address and its host key', async () => {
  for (const end of [vm.kill, vm.stop]) {
    await end();
    expect((await ssh(vm, 'true', { patience: 2 })).code).toBe(255);
    await vm.start();
    expect((await ssh(vm, 'whoami')).stdout).toBe('deploy\n');
  }
});

test('a paused one does not answer, and a cut one neither; both do afterwards, at the same address', async () => {
  await vm.pause();
  expect((await ssh(vm, 'true', { patience: 2 })).code).toBe(255);
  await vm.unpause();
  expect((await ssh(vm, 'true')).code).toBe(0);
  await vm.disconnect();
  expect((await ssh(vm, 'true', { patience: 2 })).code).toBe(255);
  await vm.connect();
  expect((await ssh(vm, 'true')).code).toBe(0);
});

test('a machine installs packages without a network, and reaches the database of the tests', async () => {
  const database = await forContainers(inject('postgresUrl'), vm.gateway);
  onTestFinished(database.close);
  const install = 'python3 -m venv v && v/bin/pip install --quiet --no-index --find-links /wheels psycopg[binary]';
  expect(await ssh(vm, install)).toMatchObject({ code: 0 });
  const asked = `import psycopg; print(psycopg.connect("${database.url}").execute("SELECT 6 * 7").fetchone()[0])`;
  expect(await vm.exec(['/home/deploy/v/bin/python3', '-c', asked], 'deploy')).toMatchObject({
    code: 0,
    stdout: '42\n',
  });
}, 180_000); // making a Python environment is much work on a loaded machine

test('nginx and haproxy start when they are told to', async () => {
  const haproxy = 'defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n';
  const front = 'frontend front\n  bind :81\n  http-request return status 200 content-type text/plain string hello\n';
  await installed(`${haproxy}${front}`, '/etc/haproxy/haproxy.cfg');
  expect(await root('systemctl start nginx haproxy')).toMatchObject({ code: 0 });
  expect(await (await fetch(`http://${vm.address}/`)).text()).toContain('nginx');
  expect(await (await fetch(`http://${vm.address}:81/`)).text()).toBe('hello');
});

test('five boot at once, each with its own host key and machine id, and reach each other', async () => {
  const began = Date.now();
  const vms = await startVms(5, { name: 'fleet' });
  console.log(`5 machines: ${Date.now() - began} ms`);
  const ids = await Promise.all(vms.map(async (one) => (await ssh(one, 'cat /etc/machine-id')).stdout));
  expect(new Set(ids).size).toBe(5);
  expect(new Set(vms.map(({ knownHostsLine }) => knownHostsLine.split(' ')[2])).size).toBe(5);
  const [first, second] = vms;
  const reached = await ssh(first!, `python3 -c "import socket; socket.create_connection(('${second!.address}', 22))"`);
  expect(reached).toMatchObject({ code: 0 });
});

function otherKey(): string {
  return execFileSync('ssh-keygen', ['-y', '-f', vm.keyFile], { encoding: 'utf8' }).trim();
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hostOf } from '../../../activities/hosts/index.ts';
import { sshOptions } from '../../../activities/ssh/options.ts';
import { routeTo } from '../../../activities/ssh/route.ts';
import { freePort } from '../../../parts/ports.ts';
import { fleetOf, keyPair, type SshServers } from '../../support/sshd.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { endLater, hostWith } from './machine.ts';

const user = userInfo().username;
let fleet: SshServers;
beforeAll(async () => {
  fleet = endLater(await fleetOf(2));
});

function aConfig(text: string): string {
  const file = join(temporaryFolder(), 'config');
  writeFileSync(file, text);
  return file;
}

const who = ['sh', '-c', 'echo "$SSH_CONNECTION"'];

describe('the way to a machine', () => {
  const route = (options: object) => routeTo(sshOptions.parse(options), null);

  test('is what the options say, then ~/.ssh/config, then what OpenSSH does', () => {
    const config = aConfig(
      'Include more-*\nHost web1\n  HostName 10.0.0.11\n  User deploy\n  Port 2222\n  ProxyJump b1,ops@b2:23\n' +
        '  IdentityFile ~/keys/%h\n  UserKnownHostsFile /k1 /k2\nHost b1\n  HostName 10.0.0.1\nHost *\n  User everyone\n',
    );
    writeFileSync(join(config, '..', 'more-1'), 'Host web2\n  HostName 10.0.0.12\n');
    const web1 = route({ host: 'web1', config });
    expect(web1).toMatchObject({ name: 'web1 (deploy@10.0.0.11:2222)', host: '10.0.0.11', port: 2222, user: 'deploy' });
    expect(web1.keys.paths[0]).toMatch(/\/keys\/10\.0\.0\.11$/);
    expect(web1.knownHosts.slice(0, 2)).toEqual(['/k1', '/k2']);
    expect(web1.via).toMatchObject({
      host: 'b2',
      port: 23,
      user: 'ops',
      via: { host: '10.0.0.1', port: 22, via: null },
    });
    const own = { host: 'web1', config, user: 'me', port: 1, key: '/k', knownHosts: '/h', jump: 'b3' };
    expect(route(own)).toMatchObject({
      name: 'web1 (me@10.0.0.11:1)',
      keys: { paths: ['/k'], named: true },
      knownHosts: ['/h'],
    });
    expect(route(own).via).toMatchObject({ host: 'b3', port: 22, user: 'everyone', via: null });
    expect(route({ host: '::1', config: '/none' })).toMatchObject({ port: 22, user, name: `${user}@::1` });
  });

  test('that a file which cannot be understood describes is refused by its name', () => {
    expect(() => route({ host: 'x', config: aConfig('Host "x\n') })).toThrow(/config cannot be understood/);
    expect(() => route({ host: 'x', config: aConfig('Host x\n  ProxyCommand nc %h\n') })).toThrow(/ProxyCommand.*jump/);
  });

  test('is that of the machine which a fleet names; this machine is none of them', () => {
    const product = { kind: 'ssh', options: { user: 'deploy', port: 2222 } };
    expect(hostOf(product, { name: 'web7', connect: '10.0.0.17' }).name).toBe('web7 (deploy@10.0.0.17:2222)');
    expect(hostOf(product, { name: 'web8', connect: '[fe80::1]:23' }).name).toBe('web8 (deploy@[fe80::1]:23)');
    expect(() => hostOf(product)).toThrow(/nothing says where it is/);
    const local = { kind: 'local', options: {} };
    expect(() => hostOf(local, { name: 'web7', connect: '10.0.0.17' })).toThrow(/web7 is another machine/);
  });

  test('may lead through other machines, by option or by ~/.ssh/config', async () => {
    const [jump, last] = fleet.hosts;
    const { key, knownHosts } = jump!.options;
    const direct = await hostWith(last!.options).exec(who, {});
    const byOption = hostWith({ ...last!.options, jump: `${user}@${jump!.address}:${jump!.port}` });
    const config = aConfig(
      `Host far\n  HostName ${last!.address}\n  Port ${last!.port}\n  User ${user}\n  ProxyJump near\n` +
        `Host near\n  HostName ${jump!.address}\n  Port ${jump!.port}\n  User ${user}\n` +
        `Host *\n  IdentityFile ${key}\n  UserKnownHostsFile ${knownHosts}\n`,
    );
    for (const host of [byOption, hostWith({ host: 'far', config })]) {
      const { stdout } = await host.exec(who, {});
      expect(stdout).toContain(`${last!.address} ${last!.port}`);
      expect(stdout).not.toBe(direct.stdout);
      expect(jump!.sessions().length).toBeGreaterThan(0);
    }
  });

  test('that a jump host does not find says so', async () => {
    const [jump, last] = fleet.hosts;
    const options = { ...last!.options, port: await freePort(), jump: `${user}@${jump!.address}:${jump!.port}` };
    await expect(hostWith(options).exec(who, {})).rejects.toMatchObject({
      type: 'HostUnreachable',
      nonRetryable: false,
    });
    await expect(hostWith(options).exec(who, {})).rejects.toThrow(/through .*ECONNREFUSED/);
  });

  test('where nobody answers is worth another try, and says what to look at', async () => {
    const nobody = hostWith({ ...fleet.hosts[0]!.options, port: await freePort() });
    const attempt = nobody.read('/etc/hostname');
    await expect(attempt).rejects.toMatchObject({ type: 'HostUnreachable', nonRetryable: false });
    await expect(attempt).rejects.toThrow(/ECONNREFUSED.*is sshd running/);
    const nameless = hostWith({ ...fleet.hosts[0]!.options, host: 'no-such-machine.invalid' });
    await expect(nameless.exec(who, {})).rejects.toMatchObject({ type: 'HostUnreachable' });
  });
});

describe('who logs in', () => {
  test('is refused by name, with the keys that were tried', async () => {
    const { options } = fleet.hosts[0]!;
    const stranger = join(temporaryFolder(), 'stranger');
    writeFileSync(stranger, keyPair('ed25519').private, { mode: 0o600 });
    for (const more of [{ key: stranger }, { user: 'nobody-here' }]) {
      const attempt = hostWith({ ...options, agent: '/none', ...more }).exec(who, {});
      await expect(attempt).rejects.toMatchObject({ type: 'HostRefused', nonRetryable: true });
      await expect(attempt).rejects.toThrow(more.key ?? options.key);
      await expect(attempt).rejects.toThrow(more.user ?? user);
    }
    await expect(hostWith({ ...options, key: '/none' }).exec(who, {})).rejects.toMatchObject({ type: 'KeyUnreadable' });
  });

  test('may have a locked key, which a secret or an agent opens', async () => {
    const { options } = fleet.hosts[0]!;
    const pair = keyPair('ed25519', 'open sesame');
    appendFileSync(join(fleet.folder, 'authorized_keys'), `${pair.public}\n`);
    const key = join(temporaryFolder(), 'locked');
    writeFileSync(key, pair.private, { mode: 0o600 });
    const before = process.env.SSH_AUTH_SOCK;
    delete process.env.SSH_AUTH_SOCK;
    onTestFinished(() => {
      if (before !== undefined) process.env.SSH_AUTH_SOCK = before;
    });
    const host = (passphrase: string | undefined, value: string) => {
      const secrets = { resolve: async (names: string[]) => Object.fromEntries(names.map((name) => [name, value])) };
      return hostOf({ kind: 'ssh', options: { ...options, key, ...(passphrase && { passphrase }) } }, null, secrets);
    };
    await expect(host(undefined, '').exec(who, {})).rejects.toThrow(/has a passphrase.*`passphrase`/);
    const wrong = await host('WRONG', 'not it')
      .exec(who, {})
      .catch((error) => error);
    expect(wrong).toMatchObject({ type: 'KeyLocked', nonRetryable: true });
    expect(String(wrong)).not.toContain('not it');
    expect(await host('RIGHT', 'open sesame').exec(who, {})).toMatchObject({ exitCode: 0 });

    const agent = join(temporaryFolder(), 'agent');
    const process_ = spawn('ssh-agent', ['-D', '-a', agent], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void process_.kill());
    await once(process_.stdout, 'data');
    const open = join(temporaryFolder(), 'open');
    const other = keyPair('ed25519');
    appendFileSync(join(fleet.folder, 'authorized_keys'), `${other.public}\n`);
    writeFileSync(open, other.private, { mode: 0o600 });
    execFileSync('ssh-add', ['-q', open], { env: { ...process.env, SSH_AUTH_SOCK: agent } });
    expect(await hostWith({ ...options, key, agent }).exec(who, {})).toMatchObject({ exitCode: 0 });
  });
});

test('a process that used a machine ends by itself', async () => {
  const script =
    "import { createSshHost } from './activities/ssh/host.ts';" +
    'const host = createSshHost({ machine: null, secrets: null }, JSON.parse(process.argv[1]));' +
    "host.exec(['echo', 'there'], {}).then(({ stdout }) => console.log(stdout));";
  const words = ['--import', 'tsx', '--input-type=module', '-e', script, JSON.stringify(fleet.hosts[0]!.options)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const begun = performance.now();
  let printed = 0;
  child.stdout.once('data', () => {
    printed = performance.now();
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(printed).toBeGreaterThan(begun);
  // An idle connection is closed after a minute: that is not what it waited for.
  expect(performance.now() - printed).toBeLessThan(30_000);
});

import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { keysIn } from '../../../activities/ssh/known-hosts.ts';
import { closeConnections } from '../../../activities/ssh/pool.ts';
import { fleetOf, keyPair } from '../../support/sshd.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { aMachine, endLater, hostWith } from './machine.ts';

const another = keyPair('ed25519').public;

function aFile(text: string): string {
  const file = join(temporaryFolder(), 'known_hosts');
  writeFileSync(file, text);
  return file;
}

describe('known hosts', () => {
  const key = another.trim();
  const lines = (text: string, name: string) => keysIn(text, name, 'f').map(({ line }) => line);

  test('name a machine by its name, its address and port, a wildcard, and not by one that is excepted', () => {
    const text = `# web1 ${key}\n\nweb1,10.0.0.1 ${key}\n[web1]:2222 ${key} a comment\n*.shop,!db.shop ${key}\nWEB? ${key}\n`;
    expect(lines(text, 'web1')).toEqual([3, 6]);
    expect(lines(text, '10.0.0.1')).toEqual([3]);
    expect(lines(text, '[web1]:2222')).toEqual([4]);
    expect(lines(text, 'api.shop')).toEqual([5]);
    expect(lines(text, 'db.shop')).toEqual([]);
    expect(lines(text, 'web10')).toEqual([]);
  });

  test('may be hashed, as ssh-keygen does it', () => {
    const file = aFile(`web1 ${key}\n[web1]:2222 ${key}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('web1');
    expect([lines(text, 'web1'), lines(text, '[web1]:2222'), lines(text, 'web2')]).toEqual([[1], [2], []]);
  });

  test('hold revoked keys, and authorities that say nothing here', () => {
    const text = `@cert-authority * ${key}\n@revoked * ${key}\n`;
    expect(keysIn(text, 'web1', 'f')).toMatchObject([{ line: 2, revoked: true, type: 'ssh-ed25519' }]);
  });
});

describe('a machine', () => {
  let machine: Awaited<ReturnType<typeof aMachine>>;
  const run = (options: object) => machine.reach(options).exec(['true'], {});
  beforeAll(async () => {
    machine = await aMachine({ hostKeys: ['rsa', 'ecdsa', 'ed25519'] });
  });

  test('that nobody knows is refused with its fingerprint and what to do', async () => {
    const knownHosts = aFile('other ssh-ed25519 AAAA\n');
    const attempt = run({ knownHosts });
    await expect(attempt).rejects.toMatchObject({ type: 'HostKeyUnknown', nonRetryable: true });
    await expect(attempt).rejects.toThrow(/SHA256:\S{43}.*ssh-keyscan -p \d+ 127\.0\.0\.2.*accept-new/s);
    expect(readFileSync(knownHosts, 'utf8')).toBe('other ssh-ed25519 AAAA\n');
  });

  test('that shows another key than it used to is never connected to', async () => {
    const knownHosts = aFile(`# first\n[127.0.0.2]:${machine.port} ${another}\n`);
    for (const hostKeys of ['known', 'accept-new']) {
      const attempt = run({ knownHosts, hostKeys });
      await expect(attempt).rejects.toMatchObject({ type: 'HostKeyChanged', nonRetryable: true });
      await expect(attempt).rejects.toThrow(`${knownHosts}, line 2`);
    }
  });

  test('whose key is revoked is never connected to', async () => {
    const knownHosts = aFile(`[127.0.0.2]:${machine.port} ${machine.hostKey}\n@revoked * ${machine.hostKey}\n`);
    await expect(run({ knownHosts })).rejects.toMatchObject({ type: 'HostKeyRevoked' });
  });

  test('with several keys is known by any of them', async () => {
    for (const type of ['rsa', 'ecdsa', 'ed25519']) {
      const file = join(machine.servers.folder, `h1_${type}`);
      const publicKey = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' });
      const knownHosts = aFile(`[127.0.0.2]:${machine.port} ${publicKey}`);
      expect(await run({ knownHosts })).toMatchObject({ exitCode: 0 });
    }
  });

  test('is known by a hashed line, and by one without its port', async () => {
    const hashed = aFile(`[127.0.0.2]:${machine.port} ${machine.hostKey}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', hashed], { stdio: 'ignore' });
    expect(await run({ knownHosts: hashed })).toMatchObject({ exitCode: 0 });
    expect(await run({ knownHosts: aFile(`127.0.0.* ${machine.hostKey}\n`) })).toMatchObject({ exitCode: 0 });
  });
});

test('twenty machines that are new at once are all kept, beside what was there', async () => {
  const fleet = endLater(await fleetOf(20));
  const knownHosts = join(temporaryFolder(), 'made', 'known_hosts');
  const hosts = fleet.hosts.map(({ options }) => hostWith({ ...options, knownHosts, hostKeys: 'accept-new' }));
  await Promise.all(hosts.map((host) => host.exec(['true'], {})));
  const lines = readFileSync(knownHosts, 'utf8').split('\n').slice(0, -1);
  expect(lines.sort()).toEqual(fleet.hosts.map(({ knownHost }) => knownHost.trim()).sort());
  // They are what `known` asks for afterwards.
  appendFileSync(knownHosts, '# by hand, without an end');
  await closeConnections();
  const again = fleet.hosts.map(({ options }) => hostWith({ ...options, knownHosts }));
  const ends = await Promise.all(again.map((host) => host.exec(['true'], {})));
  expect(new Set(ends.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
});

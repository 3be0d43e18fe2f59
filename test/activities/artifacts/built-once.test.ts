import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { archiveArtifact } from '../../../activities/artifacts/archive.ts';
import { copyBuilt, type Place } from '../../../activities/artifacts/built-once.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { closeConnections } from '../../../activities/ssh/pool.ts';
import { fleetOf, type SshServers } from '../../support/sshd.ts';
import { linesOf, temporaryFolder } from '../commands/on-this-machine.ts';
import { packed } from './archives.ts';

const { signal } = new AbortController();

describe('a release that is built once', () => {
  const own = mkdtempSync(join(tmpdir(), 'holdpoint-own-'));
  const folder = join(own, 'production/shop');
  const release = { version: '1', folder: join(folder, 'releases/1') };
  let servers: SshServers;
  let dist: string;
  beforeAll(async () => {
    servers = await fleetOf(3, { own });
  });
  afterAll(async () => {
    await closeConnections();
    await servers.stop();
    rmSync(own, { recursive: true, force: true });
  });

  const machines = (): Place[] =>
    servers.hosts.map(({ options }) => ({
      host: createSshHost({ machine: null, secrets: null }, options),
      folder,
      release,
    }));
  const releasesOn = (machine: number) => join(servers.hosts[machine]!.root, 'production/shop/releases');
  const shared = ['kept', 'version'];

  beforeEach(async () => {
    for (const { root } of servers.hosts) rmSync(join(root, 'production'), { recursive: true, force: true });
    dist = temporaryFolder();
    packed(dist, '1');
    const [first] = machines();
    const build = [['sh', '-c', 'echo x >> "$0"; echo built > made; chmod +x made', join(dist, 'ran')]];
    const archive = join(dist, 'shop-{version}.tar.gz');
    await archiveArtifact({ archive, build, built: 'once', shared }, folder, first!.host).fetch(release, signal);
  });

  test('is copied to the others as the build has left it, with their own shared folders', async () => {
    const [first, ...others] = machines();
    const copied = await Promise.all(others.map((other) => copyBuilt(first!, other, { shared }, signal)));
    for (const evidence of copied) expect(evidence).toMatchObject({ copied: true });
    for (const machine of [1, 2]) {
      expect(readFileSync(join(releasesOn(machine), '1/made'), 'utf8')).toBe('built\n');
      expect(existsSync(join(servers.hosts[machine]!.root, 'production/shop/shared/kept'))).toBe(true);
      // What the release brings along is the first content on every machine.
      expect(readFileSync(join(servers.hosts[machine]!.root, 'production/shop/shared/version'), 'utf8')).toBe('1');
      expect(readFileSync(join(releasesOn(machine), '1.built'), 'utf8')).toBe(
        readFileSync(join(releasesOn(0), '1.built'), 'utf8'),
      );
    }
    expect(linesOf(join(dist, 'ran'))).toEqual(['x']);
    for (const { root } of servers.hosts) expect(readdirSync(join(root, 'production/shop/uploads'))).toEqual([]);
  });

  test('is left alone where it is whole, and made anew where a build of its own has failed', async () => {
    const [first, second, third] = machines();
    const unfinished = `${release.folder}.building`;
    await copyBuilt(first!, second!, { shared }, signal);
    writeFileSync(join(releasesOn(1), '1/made'), 'its own\n');
    expect(await copyBuilt(first!, second!, { shared }, signal)).toEqual({ copied: false });
    expect(readFileSync(join(releasesOn(1), '1/made'), 'utf8')).toBe('its own\n');
    await third!.host.write(`${release.folder}/made`, 'by a build that failed\n');
    await third!.host.write(unfinished, 'an id\n');
    expect(await copyBuilt(first!, third!, { shared }, signal)).toMatchObject({ copied: true });
    expect(readFileSync(join(releasesOn(2), '1/made'), 'utf8')).toBe('built\n');
    expect(await third!.host.read(unfinished)).toBeNull();
  });

  test('is refused where the machine has another archive of this version, or nobody knows what', async () => {
    const [first, second, third] = machines();
    await copyBuilt(first!, second!, { shared }, signal);
    await second!.host.write(`${release.folder}.built`, JSON.stringify({ version: '1', sha256: 'another' }));
    await expect(copyBuilt(first!, second!, { shared }, signal)).rejects.toMatchObject({ type: 'ReleaseChanged' });
    await third!.host.write(`${release.folder}/made`, 'by hand\n');
    await third!.host.write(`${release.folder}.building`, 'found\n');
    await expect(copyBuilt(first!, third!, { shared }, signal)).rejects.toMatchObject({ type: 'ReleaseUnfinished' });
  });
});

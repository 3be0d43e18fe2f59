import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveArtifact } from '../../../activities/artifacts/archive.ts';
import { gitArtifact } from '../../../activities/artifacts/git.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { closeConnections } from '../../../activities/ssh/pool.ts';
import { fleetOf, type SshServers } from '../../support/sshd.ts';
import { linesOf, temporaryFolder } from '../commands/on-this-machine.ts';
import { packed } from './archives.ts';

const { signal } = new AbortController();

describe('releases of several machines', () => {
  let servers: SshServers;
  beforeAll(async () => {
    servers = await fleetOf(3);
  });
  afterAll(async () => {
    await closeConnections();
    await servers.stop();
  });

  const machines = () =>
    servers.hosts.map(({ name, root, options }) => ({
      folder: join(root, 'production/shop'),
      host: createSshHost({ machine: null, secrets: null }, options),
      name,
    }));

  test('in an archive are unpacked and built on each of them', async () => {
    const dist = temporaryFolder();
    packed(dist, '1');
    const build = [['sh', '-c', 'echo "$1" >> "$0"', join(dist, 'ran'), '{folder}']];
    const fetching = machines().map(async ({ folder, host }) => {
      const artifact = archiveArtifact({ archive: join(dist, 'shop-{version}.tar.gz'), build }, folder, host);
      return await artifact.fetch((await artifact.find('1'))!, signal);
    });
    for (const fetched of await Promise.all(fetching)) expect(fetched).toMatchObject({ unpacked: true, built: 1 });
    const folders = machines().map(({ folder }) => join(folder, 'releases/1'));
    expect(linesOf(join(dist, 'ran')).sort()).toEqual(folders.sort());
    for (const folder of folders) expect(readFileSync(join(folder, 'version'), 'utf8')).toBe('1');
  });

  test('in a repository that only the worker has are carried there', async () => {
    const repository = temporaryFolder();
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com', '-C', repository, ...args]);
    git('init', '--quiet', '--initial-branch=main');
    for (const version of ['1', '2']) {
      writeFileSync(join(repository, 'version'), version);
      git('add', 'version');
      git('commit', '--quiet', '--message', version);
      const fetching = machines().map(async ({ folder, host }) => {
        const artifact = gitArtifact(repository, folder, host, { carried: true, build: [['true']] });
        const release = (await artifact.find('main'))!;
        await artifact.fetch(release, signal);
        return release.folder;
      });
      for (const folder of await Promise.all(fetching)) {
        expect(readFileSync(join(folder, 'version'), 'utf8')).toBe(version);
        expect(existsSync(`${folder}.built`)).toBe(true);
      }
    }
    for (const { folder } of machines()) expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
  });
});

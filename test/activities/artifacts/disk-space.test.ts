import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { archiveArtifact } from '../../../activities/artifacts/archive.ts';
import { gitArtifact } from '../../../activities/artifacts/git.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { packed } from './archives.ts';

const { signal } = new AbortController();
const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

/** A disk of its own, in memory. */
function smallDisk(mebibytes: number): string {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'holdpoint-test', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
  });
  return folder;
}

test.runIf(mayMount)('an archive for which there is no room is refused before anything is written', async () => {
  const dist = temporaryFolder();
  const disk = smallDisk(4);
  packed(dist, '1', { large: randomBytes(3 * 1024 * 1024).toString('latin1') });
  const artifact = archiveArtifact(
    { archive: join(dist, 'shop-{version}.tar.gz') },
    join(disk, 'production/shop'),
    createLocalHost(),
  );
  await expect(artifact.fetch((await artifact.find('1'))!, signal)).rejects.toMatchObject({
    type: 'DiskFull',
    nonRetryable: true,
    message: expect.stringMatching(/1 needs .* MiB, and there are 4.0 MiB free\. Free some/),
  });
  expect(readdirSync(disk)).toEqual([]);
});

test.runIf(mayMount)('a checkout needs twice what the newest release takes', async () => {
  const disk = smallDisk(8);
  const repository = temporaryFolder();
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com', '-C', repository, ...args]);
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '--message', 'one');
  const artifact = gitArtifact(repository, disk, createLocalHost());
  const release = (await artifact.find('HEAD'))!;
  await expect(artifact.fetch(release, signal)).rejects.toMatchObject({
    type: 'DiskFull',
    message: expect.stringContaining('HEAD needs 50.0 MiB'),
  });
  execFileSync('mkdir', ['-p', join(disk, 'releases/before')]);
  writeFileSync(join(disk, 'releases/before/large'), Buffer.alloc(1024 * 1024));
  expect(await artifact.fetch(release, signal)).toMatchObject({ checkedOut: true });
});

test.runIf(mayMount)(
  'an archive that unpacks to more than there is room for is refused, and its half removed',
  async () => {
    const dist = temporaryFolder();
    const disk = smallDisk(4);
    packed(dist, '1', { zeros: '\0'.repeat(16 * 1024 * 1024) });
    const artifact = archiveArtifact({ archive: join(dist, 'shop-{version}.tar.gz') }, disk, createLocalHost());
    await expect(artifact.fetch((await artifact.find('1'))!, signal)).rejects.toMatchObject({ type: 'DiskFull' });
    expect(readdirSync(join(disk, 'releases'))).toEqual(['1.building']);
  },
);

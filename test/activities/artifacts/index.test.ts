import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderArtifact } from '../../../activities/artifacts/folder.ts';
import { absolute, releaseOf } from '../../../activities/artifacts/index.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { Target } from '../../../workflows/runbook/plan.ts';
import { type Artifact, runbookSchema } from '../../../workflows/runbook/schema.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

const target = { name: 'web', folder: '/var/lib/shop' } as Target;

function checked(artifact: unknown) {
  return runbookSchema.safeParse({ service: 'shop', prepare: { artifact }, rollout: {} });
}

function written(artifact: unknown): Artifact {
  return runbookSchema.parse({ service: 'shop', prepare: { artifact }, rollout: {} }).prepare.artifact;
}

test('folders are versions in natural order, hidden ones left out', async () => {
  const folder = temporaryFolder();
  for (const name of ['shop-10', 'shop-2', 'shop-.half', 'other']) mkdirSync(join(folder, name));
  const artifact = folderArtifact('shop-{version}', folder, createLocalHost());
  expect(await artifact.list()).toEqual(['2', '10']);
  expect(await artifact.find('2')).toEqual({ version: '2', folder: join(folder, 'shop-2') });
  expect(await artifact.find('3')).toBeNull();
});

describe('an artifact in a runbook', () => {
  test('has its files beside the runbook, and its URLs and checksums as they are', () => {
    const archive = { archive: 'dist/shop-{version}.tar.gz', shared: ['var/uploads', '.env'], build: [['npm', 'ci']] };
    expect(absolute(written(archive), '/srv/shop')).toEqual({
      ...archive,
      archive: join('/srv/shop', archive.archive),
    });
    const sums = { archive: 'https://example.com/{version}.tgz', sha256: 'sums/{version}' };
    expect(absolute(written(sums), '/srv/shop')).toEqual({ ...sums, sha256: '/srv/shop/sums/{version}' });
    const digest = { archive: '/dist/{version}.tgz', sha256: 'a'.repeat(64) };
    expect(absolute(written(digest), '/srv/shop')).toEqual(digest);
    const git = { git: '.', build: [['npm', 'ci']] };
    expect(absolute(written(git), '/srv/shop')).toEqual({ ...git, git: '/srv/shop' });
  });

  test('says where a version is without asking anybody', () => {
    const release = { version: '1', folder: '/var/lib/shop/releases/1' };
    expect(releaseOf(written({ archive: '{version}.tar' }), target, '/srv/shop')('1')).toEqual(release);
  });

  test('is refused where one could not say which archive, what is in it, or what is shared', () => {
    expect(checked({ archive: 'shop.tar.gz' }).success).toBe(false);
    expect(checked({ archive: 'https://example.com/{version}.tgz' }).success).toBe(false);
    expect(checked({ archive: 'https://ann:secret@example.com/{version}.tgz', sha256: 'x-{version}' }).success).toBe(
      false,
    );
    expect(checked({ archive: '{version}.tgz', sha256: 'not a checksum' }).success).toBe(false);
    for (const path of ['/etc', '..', 'a/../../b', './a', 'a//b', '']) {
      expect(checked({ archive: '{version}.tgz', shared: [path] }).success, path).toBe(false);
    }
    expect(checked({ archive: '{version}.tgz', shared: ['.env', 'var/a.b/', '..a'] }).success).toBe(true);
    expect(checked({ folder: 'releases/{version}', build: [['true']] }).success).toBe(false);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { gitArtifact } from '../../../activities/artifacts/git.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

const { signal } = new AbortController();

describe('a release of a git repository', () => {
  let repository: string;
  let folder: string;
  const artifact = () => gitArtifact(repository, folder, createLocalHost());

  beforeEach(() => {
    repository = join(temporaryFolder(), 'shop');
    folder = join(temporaryFolder(), 'state');
    mkdirSync(repository);
    git('init', '--quiet', '--initial-branch=main');
    commit('1');
    git('tag', 'v1');
    commit('2');
    git('tag', 'v2');
  });

  function git(...args: string[]): string {
    const who = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com'];
    return execFileSync('git', [...who, '-C', repository, ...args], { encoding: 'utf8' }).trim();
  }

  function commit(version: string): void {
    writeFileSync(join(repository, 'version'), version);
    git('add', 'version');
    git('commit', '--quiet', '--message', `Version ${version}`);
  }

  test('is pinned to the commit that a tag, a branch or a commit means now', async () => {
    const tag = await artifact().find('v1');
    const branch = await artifact().find('main');
    expect(tag?.folder).toBe(join(folder, 'releases', git('rev-parse', 'v1')));
    expect(branch?.folder).toBe(join(folder, 'releases', git('rev-parse', 'main')));
    expect(await artifact().find('v9')).toBeNull();
    expect(await artifact().list()).toEqual(['v1', 'v2']);
  });

  test('that was pushed after the first look is found', async () => {
    await artifact().find('v1');
    commit('3');
    git('tag', 'v3');
    expect(await artifact().find('v3')).not.toBeNull();
  });

  test('is checked out once, beside the ones before', async () => {
    const one = (await artifact().find('v1'))!;
    const two = (await artifact().find('v2'))!;
    expect(await artifact().fetch(one, signal)).toMatchObject({ checkedOut: true });
    expect(await artifact().fetch(one, signal)).toMatchObject({ checkedOut: false });
    await artifact().fetch(two, signal);
    expect(readFileSync(join(one.folder, 'version'), 'utf8')).toBe('1');
    expect(readFileSync(join(two.folder, 'version'), 'utf8')).toBe('2');
  });

  test('that a killed attempt left half is checked out whole by the next', async () => {
    const one = (await artifact().find('v1'))!;
    mkdirSync(`${one.folder}.1.1`, { recursive: true });
    await artifact().fetch(one, signal);
    expect(readFileSync(join(one.folder, 'version'), 'utf8')).toBe('1');
  });

  test('is kept while it is in use, or among the newest few', async () => {
    const releases = [];
    for (const version of ['v1', 'v2', 'main']) {
      const release = (await artifact().find(version))!;
      await artifact().fetch(release, signal);
      releases.push(release);
    }
    await artifact().prune(1, [releases[0]!]);
    expect(existsSync(releases[0]!.folder)).toBe(true);
    expect(existsSync(releases[1]!.folder)).toBe(false);
  });

  test('of a repository that is not there is refused with what git said', async () => {
    repository = '/nowhere/shop';
    await expect(artifact().find('v1')).rejects.toMatchObject({
      type: 'GitFailed',
      message: expect.stringContaining('/nowhere/shop'),
    });
  });
});

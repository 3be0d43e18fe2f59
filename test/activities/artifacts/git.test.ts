import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

  test('is tried again where another git is at work in the mirror', async () => {
    await artifact().find('v1');
    commit('3');
    git('tag', 'v3');
    const lock = join(folder, 'repository.git/refs/tags/v3.lock');
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, '');
    const same = artifact();
    await expect(same.find('v3')).rejects.toMatchObject({ type: 'RepositoryBusy', nonRetryable: false });
    rmSync(lock);
    expect(await same.find('v3')).not.toBeNull();
  });

  test('that the mirror has is checked out without the repository', async () => {
    const one = (await artifact().find('v1'))!;
    rmSync(repository, { recursive: true });
    expect(await artifact().fetch(one, signal)).toMatchObject({ checkedOut: true });
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

  test('is kept too where only the version that runs is known', async () => {
    for (const version of ['v1', 'v2']) await artifact().fetch((await artifact().find(version))!, signal);
    await artifact().prune(1, [{ version: 'v1', folder: join(folder, 'releases/v1') }]);
    expect(readdirSync(join(folder, 'releases'))).toEqual([git('rev-parse', 'v1'), `${git('rev-parse', 'v1')}.built`]);
  });

  test('is built in its worktree, where shared paths are links', async () => {
    const options = { build: [['sh', '-c', 'cat version > var/built']], shared: ['var'] };
    const built = gitArtifact(repository, folder, createLocalHost(), options);
    expect(await built.fetch((await built.find('v1'))!, signal)).toMatchObject({ checkedOut: true, built: 1 });
    expect(readFileSync(join(folder, 'shared/var/built'), 'utf8')).toBe('1');
  });

  describe('that only the machine of the worker has', () => {
    const carried = () => gitArtifact(repository, folder, createLocalHost(), { carried: true });

    test('is found without a word to the machine', async () => {
      expect(await carried().find('v1')).toEqual(await artifact().find('v1'));
      rmSync(folder, { recursive: true });
      expect(await carried().find('v9')).toBeNull();
      expect(await carried().list()).toEqual(['v1', 'v2']);
      expect(existsSync(folder)).toBe(false);
    });

    test('is carried there, and the next time only what is new', async () => {
      const one = (await carried().find('v1'))!;
      expect(await carried().fetch(one, signal)).toMatchObject({ checkedOut: true });
      expect(readFileSync(join(one.folder, 'version'), 'utf8')).toBe('1');
      commit('3');
      const three = (await carried().find('main'))!;
      expect(await carried().fetch(three, signal)).toMatchObject({ checkedOut: true });
      expect(readFileSync(join(three.folder, 'version'), 'utf8')).toBe('3');
      expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
      expect(await carried().prune(1, [three])).toEqual({ removed: 1 });
    });

    test('and has on no branch or tag is refused with what to do', async () => {
      git('checkout', '--quiet', '--detach');
      commit('lonely');
      const lonely = (await carried().find('HEAD'))!;
      git('checkout', '--quiet', 'main');
      await expect(carried().fetch(lonely, signal)).rejects.toMatchObject({ type: 'CommitUnreachable' });
    });
  });

  test('of a repository that is not there is refused with what git said', async () => {
    repository = '/nowhere/shop';
    await expect(artifact().find('v1')).rejects.toMatchObject({
      type: 'GitFailed',
      message: expect.stringContaining('/nowhere/shop'),
    });
  });
});

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createEngine } from '../../../activities/docker/engine.ts';
import { createImageArtifact, type ImageArtifact } from '../../../activities/docker/image-artifact.ts';
import { engine } from '../../support/docker-engine.ts';
import { imageOf, removeImages } from '../../support/images.ts';
import { credentials, type RunningRegistry, startRegistry } from '../../support/registry.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

const folder = '/srv/shop';
const signal = new AbortController().signal;

/** A repository of its own, at the registry unless told. */
function aRepository(host: string | null = registry.host, more: Partial<ImageArtifact> = {}) {
  const name = `shop-${randomBytes(4).toString('hex')}`;
  const repository = host ? `${host}/${name}` : name;
  onTestFinished(() => removeImages(repository));
  const artifact = createImageArtifact({
    engine: createEngine({ engine: inject('dockerHost') }),
    repository,
    credentials: null,
    folder,
    ...more,
  });
  const make = (version: string, labels: Record<string, string> = {}) =>
    imageOf({ repository, version, runs: false, labels });
  const push = async (version: string) => await registry.push(await make(version));
  const has = async (reference: string) =>
    await engine()
      .getImage(reference)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  return { repository, artifact, make, push, has };
}

describe('releases that are images', () => {
  test('a version is pinned by its digest, without being pulled', async () => {
    const { artifact, repository, push, has } = aRepository();
    const digest = await push('2');
    await removeImages(repository);
    expect(await artifact.find('2')).toEqual({ version: '2', folder, image: `${repository}@${digest}` });
    expect(await has(`${repository}:2`)).toBe(false);
    expect(await artifact.find('3')).toBeNull();
  });

  test('it is pulled by that digest, once, and is listed then', async () => {
    const { artifact, repository, push, has } = aRepository();
    await push('2');
    await removeImages(repository);
    const release = (await artifact.find('2'))!;
    expect(await artifact.list()).toEqual([]);
    const evidence = await artifact.fetch(release, signal);
    expect(evidence).toMatchObject({ image: release.image, pulled: true });
    expect(evidence.bytes).toBeGreaterThan(0);
    expect(await has(release.image!)).toBe(true);
    expect(await artifact.list()).toEqual(['2']);
    expect(await artifact.fetch(release, signal)).toEqual({ image: release.image, pulled: false });
  });

  test('what was planned is pulled, though the tag was moved since', async () => {
    const { artifact, repository, push, make } = aRepository();
    await push('2');
    const release = (await artifact.find('2'))!;
    await make('2', { moved: 'yes' });
    await registry.push(`${repository}:2`);
    await removeImages(repository);
    await artifact.fetch(release, signal);
    expect((await engine().getImage(`${repository}:2`).inspect()).RepoDigests).toContain(release.image);
    expect((await artifact.find('2'))!.image).not.toBe(release.image);
  });

  test('an image that only the engine has is pinned by its id, and cannot be fetched once it is gone', async () => {
    for (const host of [null, registry.host]) {
      const { artifact, make, repository } = aRepository(host);
      const { Id } = await engine()
        .getImage(await make('2'))
        .inspect();
      const release = (await artifact.find('2'))!;
      expect(release.image).toBe(Id);
      expect(await artifact.fetch(release, signal)).toEqual({ image: Id, pulled: false });
      await removeImages(repository);
      await expect(artifact.fetch(release, signal)).rejects.toMatchObject({ type: 'ImageMissing', nonRetryable: true });
    }
  });

  test('a registry that is down is said to be, and is worth another try', async () => {
    const { artifact, repository } = aRepository('127.0.0.1:1');
    await expect(artifact.find('2')).rejects.toMatchObject({ type: 'RegistryDown', nonRetryable: false });
    await expect(artifact.find('2')).rejects.toThrow('Registry 127.0.0.1:1 does not answer');
    const image = `${repository}@sha256:${'0'.repeat(64)}`;
    await expect(artifact.fetch({ version: '2', folder, image }, signal)).rejects.toMatchObject({
      type: 'RegistryDown',
    });
  });

  test('an image that the registry no longer has is refused', async () => {
    const { artifact, repository, push } = aRepository();
    await push('1');
    const image = `${repository}@sha256:${'0'.repeat(64)}`;
    const attempt = artifact.fetch({ version: '2', folder, image }, signal);
    await expect(attempt).rejects.toMatchObject({ type: 'ImageMissing', nonRetryable: true });
  });

  test('a locked registry opens to the named secret, or to what the docker command is logged in with', async () => {
    const locked = await startRegistry({ locked: true });
    onTestFinished(() => locked.close());
    const { username, password } = credentials;
    const named = aRepository(locked.host, { credentials: async () => `${username}:${password}` });
    const digest = await locked.push(await named.make('2'));
    const pinned = { version: '2', folder, image: `${named.repository}@${digest}` };
    expect(await named.artifact.find('2')).toEqual(pinned);
    await removeImages(named.repository);
    expect(await named.artifact.fetch(pinned, signal)).toMatchObject({ pulled: true });

    const stranger = { engine: createEngine({ engine: inject('dockerHost') }), repository: named.repository, folder };
    const anonymous = createImageArtifact({ ...stranger, credentials: null });
    await expect(anonymous.find('2')).rejects.toMatchObject({ type: 'RegistryForbids', nonRetryable: true });
    const wrong = createImageArtifact({ ...stranger, credentials: async () => `${username}:hush-hush` });
    await expect(wrong.find('2')).rejects.toMatchObject({ type: 'RegistryForbids' });
    await expect(wrong.find('2')).rejects.not.toThrow('hush-hush');

    const config = temporaryFolder();
    mkdirSync(config, { recursive: true });
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [locked.host]: { auth } } }));
    process.env.DOCKER_CONFIG = config;
    onTestFinished(() => {
      delete process.env.DOCKER_CONFIG;
    });
    expect(await anonymous.find('2')).toEqual(pinned);
  });

  test('old ones go, but not the newest, those in use, those of a container, nor what somebody else tagged', async () => {
    const { artifact, make, repository, has } = aRepository(null);
    for (const version of ['1', '2', '3', '10', '11']) await make(version);
    const used = await engine().createContainer({ Image: `${repository}:1`, Cmd: ['true'] });
    onTestFinished(() => used.remove({ force: true }));
    await engine()
      .getImage(`${repository}:3`)
      .tag({ repo: `${repository}-other`, tag: 'kept' });
    onTestFinished(() => removeImages(`${repository}-other`));
    expect(await artifact.list()).toEqual(['1', '2', '3', '10', '11']);
    const evidence = await artifact.prune(1, [{ version: '10', folder }]);
    expect(evidence).toEqual({ removed: '2, 3', kept: 3 });
    expect(await artifact.list()).toEqual(['1', '10', '11']);
    expect(await has(`${repository}-other:kept`)).toBe(true);
    expect(await artifact.prune(1, [{ version: '10', folder }])).toEqual({ removed: null, kept: 3 });
  });

  test('a command that a dead worker has left does not keep an old image', async () => {
    const { artifact, make, repository } = aRepository(null);
    for (const version of ['1', '2']) await make(version);
    const Labels = { 'holdpoint.job': 'of a deploy that is over' };
    const left = await engine().createContainer({ Image: `${repository}:1`, Cmd: ['true'], Labels });
    expect(await artifact.prune(1, [])).toEqual({ removed: '1', kept: 1 });
    await expect(left.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type BuildRequest, buildImage } from '../../../activities/docker/build.ts';
import { createEngine } from '../../../activities/docker/engine.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { aDockerTarget, writer } from '../../support/containers.ts';
import { engine } from '../../support/docker-engine.ts';
import { removeImages } from '../../support/images.ts';
import { type RunningRegistry, startRegistry } from '../../support/registry.ts';
import { linesOf, temporaryFolder } from '../commands/on-this-machine.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

/** A service's folder that can be built. */
function aServiceFolder(files: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const all = {
    Dockerfile: `FROM scratch\nARG STAGE=none\nLABEL stage=$STAGE\nCOPY . /app\n`,
    'app.js': '// shop',
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const repository = `${registry.host}/shop-${randomBytes(4).toString('hex')}`;
  onTestFinished(() => removeImages(repository));
  const request = (more: Partial<Omit<BuildRequest, 'build'>> & { build?: object } = {}): BuildRequest => ({
    repository,
    version: '2',
    folder,
    env: {},
    credentials: null,
    writer: writer(),
    signal: new AbortController().signal,
    ...more,
    build: { context: '.', dockerfile: 'Dockerfile', args: {}, push: true, ...more.build } as BuildRequest['build'],
  });
  const build = (given: BuildRequest) =>
    buildImage(createEngine({ engine: inject('dockerHost') }), createLocalHost(), given);
  return { folder, repository, request, build };
}

describe('building a release', () => {
  test('it is built, pushed, and pinned by what the registry has', async () => {
    const { build, request, repository } = aServiceFolder();
    const evidence = await build(request({ build: { args: { STAGE: 'production' } } }));
    expect(evidence).toMatchObject({ version: '2', built: true });
    const { RepoDigests, Config } = await engine().getImage(`${repository}:2`).inspect();
    expect(RepoDigests).toEqual([evidence.image]);
    expect(Config.Labels.stage).toBe('production');
  });

  test('a second attempt of the step does not build it again, and another step does', async () => {
    const tests = join(temporaryFolder(), 'tests');
    const { build, request, repository } = aServiceFolder();
    const given = { build: { test: ['node', '-e', `require('fs').appendFileSync('${tests}', 'ran\\n')`] } };
    const { image } = await build(request(given));
    const before = await engine().getImage(`${repository}:2`).inspect();
    expect(await build(request(given))).toMatchObject({ built: false, image });
    expect((await engine().getImage(`${repository}:2`).inspect()).Id).toBe(before.Id);
    expect(linesOf(tests)).toEqual(['ran']);
    expect(await build(request({ ...given, writer: writer(2) }))).toMatchObject({ built: true });
    expect(linesOf(tests)).toEqual(['ran', 'ran']);
  });

  test('nothing is built when its tests fail, and their last lines are told', async () => {
    const { build, request, repository } = aServiceFolder();
    const test = ['node', '-e', 'console.log("2 of 9 failed"); process.exit(1)'];
    const attempt = build(request({ build: { test } }));
    await expect(attempt).rejects.toMatchObject({ type: 'TestsFailed', nonRetryable: true });
    await expect(attempt).rejects.toThrow('2 of 9 failed');
    expect(await engine().listImages({ filters: { reference: [repository] } })).toEqual([]);
  });

  test('a build that fails says why', async () => {
    const { build, request } = aServiceFolder({ Dockerfile: 'FROM scratch\nCOPY missing /app\n' });
    const attempt = build(request());
    await expect(attempt).rejects.toMatchObject({ type: 'BuildFailed', nonRetryable: true });
    await expect(attempt).rejects.toThrow('missing');
  });

  test('what .dockerignore names is not in it, also deep below', async () => {
    const { repository } = await builtWithIgnores();
    const { Id } = await engine().getImage(`${repository}:2`).inspect();
    const at = await aDockerTarget();
    const inside = at.instances.inside({ version: '2', folder: at.folder, image: Id });
    expect(await inside.list('/app')).toEqual(['.dockerignore', 'app.js', 'lib']);
    expect(await inside.list('/app/lib')).toEqual(['kept.js']);
  });

  test('one that is not pushed is pinned by its id', async () => {
    const { build, request, repository } = aServiceFolder();
    const { image } = await build(request({ build: { push: false } }));
    expect(image).toBe((await engine().getImage(`${repository}:2`).inspect()).Id);
  });

  test('a registry that is down is worth another try, which does not build again', async () => {
    const { build, request } = aServiceFolder();
    const nowhere = `127.0.0.1:1/shop-${randomBytes(4).toString('hex')}`;
    onTestFinished(() => removeImages(nowhere));
    const attempt = () => build(request({ repository: nowhere }));
    await expect(attempt()).rejects.toMatchObject({ type: 'RegistryDown', nonRetryable: false });
    const before = await engine().getImage(`${nowhere}:2`).inspect();
    await expect(attempt()).rejects.toMatchObject({ type: 'RegistryDown' });
    expect((await engine().getImage(`${nowhere}:2`).inspect()).Id).toBe(before.Id);
  });
});

async function builtWithIgnores() {
  const made = aServiceFolder({
    '.dockerignore': 'node_modules\n**/*.secret\n!lib/kept.secret\nDockerfile\n.git',
    'node_modules/left-pad/index.js': '',
    'lib/key.secret': 'hush',
    'lib/kept.js': '',
    '.git/HEAD': '',
  });
  await made.build(made.request());
  return made;
}

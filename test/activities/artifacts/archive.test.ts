import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { archiveArtifact } from '../../../activities/artifacts/archive.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { ArchiveArtifact } from '../../../workflows/runbook/schema.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';
import { packed, sha256Of } from './archives.ts';

const { signal } = new AbortController();
let dist: string;
let folder: string;
const artifact = (more: Partial<ArchiveArtifact> = {}) =>
  archiveArtifact({ archive: join(dist, 'shop-{version}.tar.gz'), ...more }, folder, createLocalHost());

beforeEach(() => {
  dist = temporaryFolder();
  folder = join(temporaryFolder(), 'state');
});

/** Fetched, with its folder. */
async function fetched(version: string, more: Partial<ArchiveArtifact> = {}) {
  const release = (await artifact(more).find(version))!;
  return { ...release, evidence: await artifact(more).fetch(release, signal) };
}

describe('a release in an archive', () => {
  test('is found by its version, whether packed or unpacked already', async () => {
    for (const version of ['2', '10']) packed(dist, version);
    writeFileSync(join(dist, 'notes.txt'), '');
    expect(await artifact().list()).toEqual(['2', '10']);
    expect(await artifact().find('3')).toBeNull();
    expect(await artifact().find('../2')).toBeNull();
    expect(existsSync(folder)).toBe(false);
    await fetched('2');
    rmSync(join(dist, 'shop-2.tar.gz'));
    expect(await artifact().list()).toEqual(['2', '10']);
    expect(await fetched('2')).toMatchObject({ evidence: { unpacked: false } });
  });

  test('is unpacked once, and nothing is left of the archive', async () => {
    packed(dist, '1', { 'bin/serve': 'echo' });
    const release = await fetched('1');
    expect(release).toMatchObject({ folder: join(folder, 'releases/1'), evidence: { unpacked: true } });
    expect(readFileSync(join(release.folder, 'bin/serve'), 'utf8')).toBe('echo');
    expect(await fetched('1')).toMatchObject({ evidence: { unpacked: false } });
    expect(readdirSync(join(folder, 'releases'))).toEqual(['1', '1.built']);
    expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
  });

  test('that a killed attempt left half is unpacked whole by the next', async () => {
    packed(dist, '1');
    mkdirSync(join(folder, 'releases/.half-1-abc'), { recursive: true });
    writeFileSync(join(folder, 'releases/1.building'), 'an earlier making\n');
    expect(await artifact().list()).toEqual(['1']);
    expect(readFileSync(join((await fetched('1')).folder, 'version'), 'utf8')).toBe('1');
  });

  test('with a wrong checksum is refused before anything is touched', async () => {
    const archive = packed(dist, '1');
    const release = { version: '1', folder: join(folder, 'releases/1') };
    for (const sha256 of [join(dist, 'sums-{version}'), undefined, 'a'.repeat(64)]) {
      writeFileSync(join(dist, 'sums-1'), `${'b'.repeat(64)}  other.tar.gz\n${'c'.repeat(64)}  shop-1.tar.gz\n`);
      writeFileSync(`${archive}.sha256`, 'd'.repeat(64));
      const wrong = { type: 'WrongChecksum', nonRetryable: true, message: expect.stringContaining(sha256Of(archive)) };
      await expect(artifact({ sha256 }).find('1')).rejects.toMatchObject(wrong);
      await expect(artifact({ sha256 }).fetch(release, signal)).rejects.toMatchObject(wrong);
    }
    expect(existsSync(folder)).toBe(false);
    writeFileSync(`${archive}.sha256`, `${sha256Of(archive)}  shop-1.tar.gz\n`);
    expect(await fetched('1')).toMatchObject({ evidence: { sha256: sha256Of(archive) } });
  });

  test('is one archive for ever: another one of the same version is refused', async () => {
    packed(dist, '1');
    const release = await fetched('1');
    packed(dist, '1', { more: 'than before' });
    await expect(artifact().find('1')).rejects.toMatchObject({ type: 'ReleaseChanged' });
    await expect(artifact().fetch(release, signal)).rejects.toMatchObject({ type: 'ReleaseChanged' });
    expect(existsSync(join(release.folder, 'more'))).toBe(false);
  });

  test('that is no archive is refused, and leaves nothing that looks like a release', async () => {
    writeFileSync(join(dist, 'shop-1.tar.gz'), 'not an archive');
    await expect(fetched('1')).rejects.toMatchObject({ type: 'ReleaseFailed', message: expect.stringMatching(/tar/) });
    expect(readdirSync(join(folder, 'releases'))).toEqual(['1.building']);
  });

  test('is kept while it is in use, or among the newest few, and goes with its markers', async () => {
    const build = [['true']];
    for (const version of ['1', '2', '3', '4']) {
      packed(dist, version);
      const { folder: where } = await fetched(version, { build });
      utimesSync(where, Number(version), Number(version));
    }
    expect(await artifact().prune(2, [{ version: '1', folder: join(folder, 'releases/1') }])).toEqual({ removed: 2 });
    expect(await artifact().prune(2, [{ version: '1', folder: join(folder, 'releases/1') }])).toEqual({ removed: 0 });
    expect(readdirSync(join(folder, 'releases'))).toEqual(['1', '1.built', '4', '4.built']);
  });
});

describe('an archive behind a URL', () => {
  async function serving(answer: (path: string, response: ServerResponse) => void): Promise<string> {
    const asked = ({ url }: IncomingMessage, response: ServerResponse) => answer(url!, response);
    const server = createServer(asked);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('is downloaded once for all machines that need it at the same time', async () => {
    const archive = packed(dist, '1');
    let downloads = 0;
    const origin = await serving((path, response) => {
      if (path === '/shop-1.tar.gz.sha256') return response.end(sha256Of(archive));
      if (path !== '/shop-1.tar.gz') return response.writeHead(404).end();
      response.on('finish', () => response.req.method === 'GET' && downloads++);
      response.end(readFileSync(archive));
    });
    const of = (where: string) => {
      const sha256 = `${origin}/shop-{version}.tar.gz.sha256`;
      return archiveArtifact({ archive: `${origin}/shop-{version}.tar.gz`, sha256 }, where, createLocalHost());
    };
    expect(await of(folder).find('2')).toBeNull();
    expect(await of(folder).list()).toEqual([]);
    const machines = ['a', 'b', 'c'].map((name) => join(folder, name));
    await Promise.all(machines.map(async (where) => of(where).fetch((await of(where).find('1'))!, signal)));
    for (const where of machines) expect(readFileSync(join(where, 'releases/1/version'), 'utf8')).toBe('1');
    expect(downloads).toBe(1);
    expect(await of(machines[0]!).list()).toEqual(['1']);
  });

  test('that is not what its checksum says is refused before anything is touched', async () => {
    const origin = await serving((_path, response) => response.end('something else'));
    const release = { version: '1', folder: join(folder, 'releases/1') };
    const from = archiveArtifact({ archive: `${origin}/{version}`, sha256: 'a'.repeat(64) }, folder, createLocalHost());
    await expect(from.fetch(release, signal)).rejects.toMatchObject({ type: 'WrongChecksum' });
    expect(existsSync(folder)).toBe(false);
  });

  test('is worth another try while nobody answers, and refused where the worker may not read it', async () => {
    const origin = await serving((path, response) => response.writeHead(path === '/1' ? 503 : 403).end());
    const at = (archive: string) => archiveArtifact({ archive, sha256: 'a'.repeat(64) }, folder, createLocalHost());
    const gone = { type: 'ArchiveUnreachable', nonRetryable: false };
    await expect(at('http://127.0.0.1:1/{version}').find('1')).rejects.toMatchObject(gone);
    const down = { type: 'ArchiveRefused', nonRetryable: false };
    await expect(at(`${origin}/{version}`).find('1')).rejects.toMatchObject(down);
    await expect(at(`${origin}/{version}`).find('2')).rejects.toMatchObject({ ...down, nonRetryable: true });
  });
});

describe('paths that releases share', () => {
  test('are links to one place, which the first release fills', async () => {
    const shared = ['var/uploads', '.env', 'cache'];
    packed(dist, '1', { 'var/uploads/a.png': 'a', 'var/keep': '' });
    packed(dist, '2', { 'var/uploads/b.png': 'b' });
    const one = await fetched('1', { shared });
    writeFileSync(join(one.folder, '.env'), 'NAME=shop');
    const two = await fetched('2', { shared });
    expect(readdirSync(join(two.folder, 'var/uploads'))).toEqual(['a.png']);
    expect(readFileSync(join(two.folder, '.env'), 'utf8')).toBe('NAME=shop');
    expect(readlinkSync(join(two.folder, 'cache'))).toBe(join(folder, 'shared/cache'));
    expect(readdirSync(join(folder, 'shared/cache'))).toEqual([]);
    expect(existsSync(join(one.folder, 'var/keep'))).toBe(true);
  });
});

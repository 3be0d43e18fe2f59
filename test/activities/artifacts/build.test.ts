import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { archiveArtifact } from '../../../activities/artifacts/archive.ts';
import { hostJobs } from '../../../activities/commands/host-jobs.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { endLater, lineIn, linesOf, temporaryFolder, until } from '../commands/on-this-machine.ts';
import { packed } from './archives.ts';

const { signal } = new AbortController();
/** With jobs as another machine has them. */
const host: HostPort = { ...createLocalHost(), jobs: (folder) => hostJobs(createLocalHost(), folder) };

describe('what makes a release ready', () => {
  let dist: string;
  let folder: string;
  let ran: string;
  const release = () => ({ version: '1', folder: join(folder, 'releases/1') });
  const fetching = (build: string[][]) =>
    archiveArtifact({ archive: join(dist, 'shop-{version}.tar.gz'), build }, folder, host).fetch(release(), signal);

  beforeEach(() => {
    dist = temporaryFolder();
    folder = join(temporaryFolder(), 'state');
    ran = join(dist, 'ran');
    packed(dist, '1');
  });

  test('runs once, in the final folder, and the release is whole after it', async () => {
    const words = ['sh', '-c', 'echo "$PWD $*" >> "$0"; touch made', ran, '{version}', '{folder}', '{shared}'];
    expect(await fetching([words])).toMatchObject({ unpacked: true, built: 1 });
    expect(await fetching([words])).toMatchObject({ unpacked: false });
    expect(linesOf(ran)).toEqual([`${release().folder} 1 ${release().folder} ${join(folder, 'shared')}`]);
    expect(readdirSync(release().folder)).toEqual(['made', 'version']);
    expect(readdirSync(join(folder, 'releases'))).toEqual(['1', '1.built']);
  });

  test('that failed is refused with its machine, line and last words, and only it runs again', async () => {
    const first = ['sh', '-c', 'echo first >> "$0"', ran];
    const second = ['sh', '-c', 'seq 20; echo second >> "$0"; [ -e "$0.go" ]', ran];
    const failed = expect.stringMatching(/sh -c seq 20.*exit code 1.*\n11\n12\n(.|\n)*20$/);
    const refused = { type: 'BuildFailed', nonRetryable: true, message: failed };
    await expect(fetching([first, second])).rejects.toMatchObject(refused);
    await expect(fetching([first, second])).rejects.toMatchObject(refused);
    writeFileSync(`${ran}.go`, '');
    expect(await fetching([first, second])).toMatchObject({ built: 2 });
    expect(linesOf(ran)).toEqual(['first', 'second', 'second', 'second']);
  });

  test('that another attempt runs already is waited for', async () => {
    const line = ['sh', '-c', 'echo began >> "$0"; until [ -e "$0.go" ]; do sleep 0.02; done', ran];
    const one = fetching([line]);
    await lineIn(ran);
    const two = fetching([line]);
    writeFileSync(`${ran}.go`, '');
    await Promise.all([one, two]);
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('that was killed half way leaves a folder that is made anew', async () => {
    const script = 'echo "$$ $(ls | tr "\\n" " ")" >> "$0"; touch half; until [ -e "$0.go" ]; do sleep 0.02; done';
    const line = ['sh', '-c', script, ran];
    const fetched = fetching([line]);
    const first = await lineIn(ran);
    const claim = readdirSync(join(folder, 'jobs')).find((name) => name.endsWith('.claim'))!;
    process.kill(-endLater(Number(linesOf(join(folder, 'jobs', claim))[1])), 'SIGKILL');
    await until(() => linesOf(ran).length === 2);
    writeFileSync(`${ran}.go`, '');
    expect(await fetched).toMatchObject({ built: 1 });
    expect(first).toMatch(/ version $/);
    expect(linesOf(ran)[1]).toMatch(/ version $/);
  });

  test('is run in a release that was there before it had a build, which is not removed', async () => {
    mkdirSync(release().folder, { recursive: true });
    writeFileSync(join(release().folder, 'serving'), '');
    await fetching([['touch', 'made']]);
    expect(readdirSync(release().folder)).toEqual(['made', 'serving']);
    expect(JSON.parse(readFileSync(`${release().folder}.built`, 'utf8'))).toMatchObject({ version: '1' });
    expect(existsSync(`${release().folder}.building`)).toBe(false);
  });
});

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endInstances } from '../../test/support/end-instances.ts';

/** The versions that every contestant switches between. */
export const versions = ['1', '2'] as const;

/**
 * How long a process may take to end after SIGTERM, where something stops it. Twice the longest request; the service
 * takes all of it where connections to it are kept and used, since it closes only idle ones.
 */
export const graceSeconds = 3;

/** `releases/<version>` in the folder: a small service that says its version in a header, and notes each start. */
export function writeReleases(folder: string): void {
  for (const version of versions) {
    const release = releaseFolder(folder, version);
    mkdirSync(release, { recursive: true });
    copyFileSync(service, join(release, 'server.mjs'));
    writeFileSync(join(release, 'behaviour.json'), JSON.stringify({ version, starts: startsFile(folder) }));
  }
}

export const releaseFolder = (folder: string, version: string): string => join(folder, 'releases', version);

/** Ends every process of these releases that still runs. May run twice. */
export function endServices(folder: string): void {
  const file = startsFile(folder);
  if (existsSync(file)) endInstances(readFileSync(file, 'utf8').trim().split('\n'));
}

/** When this process ends, in whatever orderly way, also by Ctrl-C; before the folder is removed. */
export function endServicesOnExit(folder: string): void {
  process.prependOnceListener('exit', () => endServices(folder));
}

const startsFile = (folder: string) => join(folder, 'starts');
const service = fileURLToPath(new URL('../../test/fixtures/service/server.mjs', import.meta.url));

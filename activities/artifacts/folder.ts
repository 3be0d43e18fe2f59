import { basename, dirname, resolve } from 'node:path';
import type { ArtifactPort, HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import { versionsAmong } from './versions.ts';

/** Releases as folders, such as `releases/{version}`; `{version}` is in one part of the path. Relative ones start at `folder`. */
export function folderArtifact(pattern: string, folder: string, host: HostPort): ArtifactPort {
  const absolute = resolve(folder, pattern);
  let part = absolute;
  while (!basename(part).includes('{version}')) part = dirname(part);

  const list = async () => versionsAmong(await host.list(dirname(part)), basename(part));

  return {
    list,
    find: async (version) => ((await list()).includes(version) ? folderRelease(pattern, folder, version) : null),
    async fetch({ version, folder: where }) {
      const files = await host.list(where);
      if (files.length > 0) return { folder: where, files: files.length };
      throw refuse('UnknownRelease', `the release folder ${where} is empty or gone: build ${version} again`);
    },
    // They are the team's own.
    prune: async () => ({ removed: 0 }),
  };
}

/** Whether it exists or not. */
export function folderRelease(pattern: string, folder: string, version: string) {
  return { version, folder: resolve(folder, pattern).replaceAll('{version}', version) };
}

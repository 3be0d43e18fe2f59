import { basename, dirname, resolve } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';

/** The releases that a runbook's `artifact.folder` names, such as `releases/{version}`. */
export interface Releases {
  /** Absolute folder of a version, whether it exists or not. */
  folderOf(version: string): string;
  /** Versions that exist, in natural order: 2 before 10. */
  list(host: HostPort): Promise<string[]>;
}

/** `pattern` holds `{version}` in one of its parts; relative ones start at `folder`. */
export function releasesOf(pattern: string, folder: string): Releases {
  const absolute = resolve(folder, pattern);
  let part = absolute;
  while (!basename(part).includes('{version}')) part = dirname(part);
  const [before, after] = basename(part).split('{version}') as [string, string];
  return {
    folderOf: (version) => absolute.replaceAll('{version}', version),
    async list(host) {
      const names = await host.list(dirname(part));
      return names
        .filter((name) => name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length)
        .map((name) => name.slice(before.length, name.length - after.length))
        .filter((version) => !version.startsWith('.'))
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    },
  };
}

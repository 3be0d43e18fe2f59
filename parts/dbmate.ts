import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

export const dbmate: Search = {
  name: 'dbmate',
  variable: 'HOLDPOINT_DBMATE_BIN',
  minimum: '2.0',
  places: () => [...installed(), ...onPath('dbmate')],
  version: (path) => versionOf(path, ['--version']),
  install: ['npm install', 'brew install dbmate'],
};

/** node_modules/.bin of this checkout, whether this file runs from source or from dist. */
function installed(): string[] {
  const folders = [import.meta.dirname, dirname(import.meta.dirname), dirname(dirname(import.meta.dirname))];
  return folders.map((folder) => join(folder, 'node_modules', '.bin', 'dbmate')).filter((file) => existsSync(file));
}

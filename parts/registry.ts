import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

/** A registry of images, as `registry:2` runs it. */
export const registry: Search = {
  name: 'registry',
  variable: 'HOLDPOINT_REGISTRY_BIN',
  minimum: '2.7',
  places: () => onPath('docker-registry', 'registry'),
  version: (path) => versionOf(path, ['--version']),
  ...fromApt('/usr/bin/docker-registry', 'docker-registry'),
  install: [aptCommand('docker-registry')],
};

import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

/** Makes a folder or an archive of a Debian system, from its packages. */
export const mmdebstrap: Search = {
  name: 'mmdebstrap',
  variable: 'HOLDPOINT_MMDEBSTRAP_BIN',
  minimum: '1.0',
  places: () => onPath('mmdebstrap'),
  version: (path) => versionOf(path, ['--version']),
  ...fromApt('/usr/bin/mmdebstrap', 'mmdebstrap'),
  install: [aptCommand('mmdebstrap')],
};

import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

export const prometheus: Search = {
  name: 'prometheus',
  variable: 'HOLDPOINT_PROMETHEUS_BIN',
  minimum: '2.30',
  places: () => onPath('prometheus'),
  version: (path) => versionOf(path, ['--version']),
  ...fromApt('/usr/bin/prometheus', 'prometheus'),
  install: [aptCommand('prometheus'), 'brew install prometheus'],
};

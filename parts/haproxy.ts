import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

export const haproxy: Search = {
  name: 'haproxy',
  variable: 'HOLDPOINT_HAPROXY_BIN',
  minimum: '2.4',
  places: () => [...onPath('haproxy'), '/usr/sbin/haproxy'],
  version: (path) => versionOf(path, ['-v']),
  ...fromApt('/usr/sbin/haproxy', 'haproxy'),
  install: [aptCommand('haproxy'), 'brew install haproxy'],
};

import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

export const nginx: Search = {
  name: 'nginx',
  variable: 'HOLDPOINT_NGINX_BIN',
  minimum: '1.19.5', // the first with `-e`, which keeps it from writing to /var/log
  places: () => [...onPath('nginx'), '/usr/sbin/nginx'],
  version: (path) => versionOf(path, ['-v']),
  ...fromApt('/usr/sbin/nginx', 'nginx'),
  install: [aptCommand('nginx'), 'brew install nginx'],
};

import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

/** The engine's own program, `dockerd`: for where no engine runs yet. */
export const docker: Search = {
  name: 'docker',
  variable: 'HOLDPOINT_DOCKERD_BIN',
  minimum: '20.10',
  places: () => [...onPath('dockerd'), '/usr/sbin/dockerd'],
  version: (path) => versionOf(path, ['--version']),
  ...fromApt('/usr/sbin/dockerd', 'docker.io', 'iptables'),
  install: [aptCommand('docker.io', 'iptables'), 'https://docs.docker.com/engine/install/'],
};

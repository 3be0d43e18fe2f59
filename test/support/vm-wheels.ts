import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../parts/cache.ts';
import { runProgram } from '../../parts/program.ts';
import { wholeFolder } from '../../parts/whole-folder.ts';

/** Of the machines' Debian 12. */
const python = '3.11';
const platform = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/**
 * A folder with wheels of these and of all they need, for the Python that machines have: mount it, and
 * `pip install --no-index --find-links /wheels …` needs no network. Fetched once and kept in the cache folder.
 * Needs pip on this machine. Throws what pip said. May run twice, also at the same time.
 */
export async function wheelsFor(requirements: string[]): Promise<string> {
  const target = ['--python-version', python, '--implementation', 'cp', '--only-binary', ':all:'];
  const tags = ['manylinux_2_28', 'manylinux_2_17', 'manylinux2014'].map((tag) => `--platform=${tag}_${platform}`);
  const wanted = [...target, ...tags, ...[...requirements].sort()];
  const digest = createHash('sha256').update(wanted.join('\n')).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), `wheels-${digest}`);
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check'];
  await wholeFolder(folder, (unfinished) => runProgram('python3', [...pip, '--dest', unfinished, ...wanted]));
  return folder;
}

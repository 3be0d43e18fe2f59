import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const unfinishedMark = '.unfinished-';

/**
 * Makes `target` a folder with what `fill` puts into the empty folder it is given; does nothing when it is there.
 * Fills one beside it and renames, so that `target` is whole or absent whenever this dies; of two at once, one
 * wins and both succeed. Throws what `fill` throws.
 */
export async function wholeFolder(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await removeAbandoned(dirname(target));
  const unfinished = await mkdtemp(`${target}${unfinishedMark}`);
  try {
    await fill(unfinished);
    await chmod(unfinished, 0o755); // mkdtemp makes it 0700, which shuts out the user that PostgreSQL runs as
    await rename(unfinished, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Installs that died half way leave up to 150 MB each. One that is an hour old is not being worked on. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.includes(unfinishedMark)) continue;
    const path = join(folder, name);
    const changed = await stat(path).catch(() => null);
    if (changed && Date.now() - changed.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

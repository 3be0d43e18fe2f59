import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** There is no such file or folder. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** null where there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(orWhenMissing(null));
}

/** Names in a folder, sorted; empty where there is none. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(orWhenMissing<string[]>([]))).sort();
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(orWhenMissing(null)))?.isDirectory() ?? false;
}

/** Whole or not at all, and still there after a power failure. Makes the folders. May run twice. */
export async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      // Not as an argument of open: there the process's umask would take bits away.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const entry = await open(folder, 'r');
  await entry.sync().finally(() => entry.close());
}

function orWhenMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return value;
    throw error;
  };
}

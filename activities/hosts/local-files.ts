/** Files of this machine, beyond what ../commands/files.ts does with them. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isMissing } from '../commands/files.ts';
import { refuse } from '../failures.ts';

export async function readRange(path: string, from: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const content = Buffer.alloc(length);
    let size = 0;
    while (size < length) {
      const { bytesRead } = await file.read(content, size, length - size, from + size);
      if (bytesRead === 0) break;
      size += bytesRead;
    }
    return content.subarray(0, size);
  } finally {
    await file.close();
  }
}

export async function statIfThere(path: string): Promise<{ size: number; inode: number } | null> {
  try {
    const { size, ino } = await stat(path);
    return { size, inode: ino };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Whole or not at all, and nothing where the same is there. Makes the folders. May run twice. */
export async function copyWhole(from: string, to: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (resolve(from) === resolve(to) || (await areSame(from, to, signal))) return;
  await mkdir(dirname(to), { recursive: true });
  await removeHalves(to);
  const temporary = `${to}.${randomBytes(6).toString('hex')}.part`;
  await refuseFull(from, to);
  try {
    await copyFile(from, temporary);
    signal?.throwIfAborted();
    const file = await open(temporary, 'r+');
    await file.sync().finally(() => file.close());
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') await refuseFull(from, to);
    throw error;
  }
}

async function areSame(from: string, to: string, signal: AbortSignal | undefined): Promise<boolean> {
  const [here, there] = [await stat(from), await statIfThere(to)];
  if (here.size !== there?.size) return false;
  const [one, other] = await Promise.all([digestOf(from, signal), digestOf(to, signal)]);
  return one === other;
}

async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** What attempts that were killed have left. */
async function removeHalves(path: string): Promise<void> {
  const isHalf = (name: string) =>
    name.startsWith(`${basename(path)}.`) && /^[0-9a-f]{12}\.part$/.test(name.slice(basename(path).length + 1));
  const names = await readdir(dirname(path));
  await Promise.all(names.filter(isHalf).map((name) => rm(join(dirname(path), name), { force: true })));
}

async function refuseFull(from: string, to: string): Promise<void> {
  const [{ size }, { bavail, bsize }] = [await stat(from), await statfs(dirname(to))];
  const free = bavail * bsize;
  if (free >= size) return;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw refuse(
    'DiskFull',
    `This machine has no room for ${to}: ${mib(size)} are needed, ${mib(free)} are free. Make room, then retry.`,
  );
}

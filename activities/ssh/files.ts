/** Files on a machine, over SFTP. */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { notYet } from '../failures.ts';
import { runScript } from './exec.ts';
import type { Machine } from './machine.ts';
import { statFile } from './scripts.ts';
import { noSuchFile, type Sftp, withSftp } from './sftp.ts';

export async function read(machine: Machine, path: string): Promise<string | null> {
  try {
    const content = await withSftp(machine, path, (sftp) => sftp.call((it, done) => it.readFile(path, done)));
    return (content as Buffer).toString();
  } catch (error) {
    if (noSuchFile(error)) return null;
    throw error;
  }
}

export async function readRange(machine: Machine, path: string, from: number, length: number): Promise<Buffer> {
  return await withSftp(machine, path, async (sftp) => {
    const handle = await sftp.call<Buffer>((it, done) => it.open(path, 'r', done));
    try {
      const content = Buffer.alloc(length);
      let size = 0;
      while (size < length) {
        const got = await readSome(sftp, handle, content, size, from);
        if (got === 0) break;
        size += got;
      }
      return content.subarray(0, size);
    } finally {
      await sftp.call<void>((it, done) => it.close(handle, done)).catch(() => {});
    }
  });
}

async function readSome(sftp: Sftp, handle: Buffer, into: Buffer, at: number, from: number): Promise<number> {
  return await sftp.call<number>((it, done) => {
    it.read(handle, into, at, into.length - at, from + at, (error, bytes) => done(error, bytes));
  });
}

/** SFTP does not tell the file's own number. */
export async function stat(machine: Machine, path: string): Promise<{ size: number; inode: number } | null> {
  const { exitCode, stdout, stderr } = await runScript(machine, statFile, [path]);
  const [size, inode] = stdout.trim().split(' ').map(Number);
  if (exitCode === 0 && Number.isSafeInteger(size) && Number.isSafeInteger(inode))
    return { size: size!, inode: inode! };
  if (exitCode !== 44) throw notYet('StatFailed', `${path} on ${machine.name} cannot be looked at: ${stderr.trim()}`);
  try {
    // A folder that may not be entered looks to a shell as if the file were not there.
    await withSftp(machine, path, (sftp) => sftp.call((it, done) => it.stat(path, done)));
  } catch (error) {
    if (!noSuchFile(error)) throw error;
  }
  return null;
}

export async function list(machine: Machine, path: string): Promise<string[]> {
  try {
    return (await withSftp(machine, path, (sftp) => namesIn(sftp, path))).sort();
  } catch (error) {
    if (noSuchFile(error)) return [];
    throw error;
  }
}

/** The names, and that there are no more, are asked for in one go: for a small folder there are two round trips. */
async function namesIn(sftp: Sftp, path: string): Promise<string[]> {
  const handle = await sftp.call<Buffer>((it, done) => it.opendir(path, done));
  const some = () =>
    sftp.call<{ filename: string }[] | null>((it, done) => {
      it.readdir(handle, (error: (Error & { code?: number }) | undefined, list) => {
        if (error?.code === endOfFolder) done(null, null);
        else done(error, list);
      });
    });
  const names: string[] = [];
  try {
    for (;;) {
      const parts = await Promise.all([some(), some()]);
      for (const part of parts) names.push(...(part ?? []).map(({ filename }) => filename));
      if (parts.includes(null)) return names;
    }
  } finally {
    // Nobody has to wait for it.
    sftp.call<void>((it, done) => it.close(handle, done)).catch(() => {});
  }
}

const endOfFolder = 1;

export async function remove(machine: Machine, path: string): Promise<void> {
  try {
    await withSftp(machine, path, (sftp) => sftp.call<void>((it, done) => it.unlink(path, done)));
  } catch (error) {
    if (!noSuchFile(error)) throw error;
  }
}

/** Whole or not at all. Makes the folders. May run twice. */
export async function write(machine: Machine, path: string, content: string, mode = 0o600): Promise<void> {
  const bytes = Buffer.from(content);
  await withSftp(machine, path, async (sftp) => {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    const handle = await create(sftp, temporary);
    await publish(sftp, { handle, temporary, path, mode }, async () => {
      if (bytes.length > 0) await sftp.call<void>((it, done) => it.write(handle, bytes, 0, bytes.length, 0, done));
    });
  });
}

/** A new file, for its owner alone; makes the folders. */
export async function create(sftp: Sftp, path: string): Promise<Buffer> {
  const open = () => sftp.call<Buffer>((it, done) => it.open(path, 'wx', 0o600, done));
  return await open().catch(async (error) => {
    if (!noSuchFile(error)) throw error;
    await makeFolder(sftp, posix.dirname(path));
    return await open();
  });
}

/** Fills an open file and gives it its name, or removes it. `check` may still refuse it once it is on the disk. */
export async function publish(
  sftp: Sftp,
  { handle, temporary, path, mode }: { handle: Buffer; temporary: string; path: string; mode: number },
  fill: () => Promise<void>,
  check: () => Promise<void> = async () => {},
): Promise<void> {
  try {
    try {
      await fill();
      await sftp.call<void>((it, done) => it.fchmod(handle, mode, done));
      await flush(sftp, handle);
    } finally {
      await sftp.call<void>((it, done) => it.close(handle, done));
    }
    await check();
    await sftp.call<void>((it, done) => it.ext_openssh_rename(temporary, path, done));
  } catch (error) {
    await sftp.call<void>((it, done) => it.unlink(temporary, done)).catch(() => {});
    throw error;
  }
}

/** Onto the disk, where the server can. */
async function flush(sftp: Sftp, handle: Buffer): Promise<void> {
  await sftp.call<void>((it, done) => {
    try {
      it.ext_openssh_fsync(handle, (error) => done(error));
    } catch {
      done();
    }
  });
}

async function makeFolder(sftp: Sftp, path: string): Promise<void> {
  const make = () => sftp.call<void>((it, done) => it.mkdir(path, done));
  await make().catch(async (error) => {
    if (noSuchFile(error) && posix.dirname(path) !== path) {
      await makeFolder(sftp, posix.dirname(path));
      return await make().catch((again) => standing(sftp, path, again));
    }
    await standing(sftp, path, error);
  });
}

/** Somebody else has made the folder meanwhile, or it was there: SFTP says neither. */
async function standing(sftp: Sftp, path: string, error: unknown): Promise<void> {
  const attributes = await sftp.call<{ isDirectory(): boolean }>((it, done) => it.stat(path, done)).catch(() => null);
  if (!attributes?.isDirectory()) throw error;
}

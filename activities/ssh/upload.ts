/** A file of the worker's machine, to another. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat as statHere } from 'node:fs/promises';
import { posix } from 'node:path';
import { notYet, refuse } from '../failures.ts';
import { runScript } from './exec.ts';
import { create, publish } from './files.ts';
import type { Machine } from './machine.ts';
import { sha256 } from './scripts.ts';
import { noSuchFile, type Sftp, withSftp } from './sftp.ts';

/** What every server takes in one go. */
const chunkSize = 32 * 1024;
const atOnce = 64;

/**
 * Whole or not at all, its checksum compared there; nothing is sent where the same is there. What an earlier attempt
 * left half is removed first. Throws `DiskFull`, `UploadDamaged`; rejects with the signal's reason.
 */
export async function upload(machine: Machine, from: string, to: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const file = await lookAt(from);
  await withSftp(machine, to, async (sftp) => {
    if (await isThere(machine, sftp, to, file)) return;
    await removeHalves(sftp, to);
    const temporary = `${to}.${randomBytes(6).toString('hex')}.part`;
    const handle = await create(sftp, temporary);
    const target = { handle, temporary, path: to, mode: file.mode };
    await publish(
      sftp,
      target,
      async () => {
        await refuseFull(machine, sftp, to, file.size);
        await send(sftp, handle, from, signal).catch(async (error) => {
          // SFTP has no word of its own for a full disk, which others fill too: what is there already is in the way.
          if (error.code === 'EIO') await refuseFull(machine, sftp, to, chunkSize);
          throw error;
        });
      },
      async () => {
        if ((await digestThere(machine, temporary)) === (await file.digest())) return;
        throw notYet(
          'UploadDamaged',
          `${to} did not arrive at ${machine.name} as it was sent: its checksum is another.`,
        );
      },
    );
  });
}

interface Local {
  size: number;
  mode: number;
  /** SHA-256, made when it is asked for. */
  digest(): Promise<string>;
}

/** A fleet gets one file many times: its checksum is made once. By path, size, time and number of the file. */
const digests = new Map<string, Promise<string>>();

async function lookAt(path: string): Promise<Local> {
  const { size, mode, mtimeMs, ino } = await statHere(path);
  const key = JSON.stringify([path, size, mtimeMs, ino]);
  return { size, mode: mode & 0o777, digest: () => digestOnce(key, path) };
}

function digestOnce(key: string, path: string): Promise<string> {
  const digest = digests.get(key) ?? digestHere(path);
  // One is enough: the machines of a fleet get the same file at the same time.
  digests.clear();
  digests.set(key, digest);
  digest.catch(() => digests.delete(key));
  return digest;
}

async function digestHere(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

async function digestThere(machine: Machine, path: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runScript(machine, sha256, [path]);
  if (exitCode === 0) return stdout.slice(0, 64);
  throw notYet('ChecksumFailed', `The checksum of ${path} cannot be made on ${machine.name}: ${stderr.trim()}`);
}

async function isThere(machine: Machine, sftp: Sftp, path: string, { size, digest }: Local): Promise<boolean> {
  const there = await sftp
    .call<{ size: number }>((it, done) => it.stat(path, done))
    .catch((error) => {
      if (noSuchFile(error)) return null;
      throw error;
    });
  return there?.size === size && (await digestThere(machine, path)) === (await digest());
}

async function removeHalves(sftp: Sftp, path: string): Promise<void> {
  const folder = posix.dirname(path);
  const entries = await sftp
    .call<{ filename: string }[]>((it, done) => it.readdir(folder, done))
    .catch((error) => {
      if (noSuchFile(error)) return [];
      throw error;
    });
  const half = new RegExp(`^${posix.basename(path).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\.[0-9a-f]{12}\\.part$`);
  for (const { filename } of entries.filter(({ filename }) => half.test(filename))) {
    await sftp.call<void>((it, done) => it.unlink(posix.join(folder, filename), done)).catch(() => {});
  }
}

async function send(sftp: Sftp, handle: Buffer, from: string, signal?: AbortSignal): Promise<void> {
  const source = await open(from, 'r');
  let position = 0;
  const worker = async () => {
    for (;;) {
      signal?.throwIfAborted();
      const at = position;
      position += chunkSize;
      const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, at);
      if (bytesRead === 0) return;
      await sftp.call<void>((it, done) => it.write(handle, buffer, 0, bytesRead, at, done));
    }
  };
  try {
    // All of them, so that nothing is written any more once this returns.
    const ends = await Promise.allSettled(Array.from({ length: atOnce }, worker));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    await source.close();
  }
}

async function refuseFull(machine: Machine, sftp: Sftp, path: string, needed: number): Promise<void> {
  const folder = posix.dirname(path);
  const disk = await sftp.call<Record<string, number> | null>((it, done) => {
    try {
      it.ext_openssh_statvfs(folder, done);
    } catch {
      done(null, null);
    }
  });
  const { f_bavail = Number.NaN, f_frsize = Number.NaN } = disk ?? {};
  const free = f_bavail * f_frsize;
  if (!(free < needed)) return;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw refuse(
    'DiskFull',
    `${machine.name} has no room for ${path}: ${mib(needed)} are needed, ${mib(free)} are free. Make room there, then retry.`,
  );
}

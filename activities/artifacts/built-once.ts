/** Releases that are built on one machine, and copied from there to the others. */
import { randomBytes } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Evidence, HostPort } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import type { Artifact } from '../../workflows/runbook/schema.ts';
import { refuse } from '../failures.ts';
import { demandSpace } from './disk-space.ts';
import { demand, makeWhole, noteOf, type Recipe, removeRelease } from './releases-folder.ts';
import { withTemporaryFile } from './temporary-file.ts';
import { unpack } from './unpack.ts';

const pieceBytes = 256 * 1024;

/** A release on a machine. `folder`: the target's, the same on all machines. */
export interface Place {
  host: HostPort;
  folder: string;
  release: Release;
}

type BuiltOnce = Extract<Artifact, { built?: unknown }>;

export function isBuiltOnce(artifact: Artifact): artifact is BuiltOnce {
  return 'built' in artifact && artifact.built === 'once';
}

/**
 * Brings what is whole at `from` to `to`, where it is whole afterwards; nothing moves where it was. Many at once read
 * `from` once. May run twice, and beside another attempt. Throws `DiskFull`, `ReleaseFailed`.
 */
export async function copyBuilt(from: Place, to: Place, { shared }: Recipe, signal: AbortSignal): Promise<Evidence> {
  const { release } = to;
  const note = await noteOf(from.host, from.release);
  const there = await noteOf(to.host, release);
  if (there !== null && (await to.host.list(release.folder)).length > 0) {
    if (there.sha256 !== note?.sha256) throw changed(from, to);
    return { copied: false };
  }
  await clearUnfinished(to);
  const key = `${from.host.name}|${release.folder}|${JSON.stringify(note)}`;
  const pack = (path: string, stop: AbortSignal) => download(from, path, stop);
  return await withTemporaryFile(key, pack, signal, async (path) => {
    const { size: bytes } = await stat(path);
    const { made } = await makeWhole({
      ...to,
      shared,
      signal,
      note: note ?? {},
      check: () => demandSpace({ ...to, version: release.version, bytes, builds: false }),
      unpack: (half) => unpack(path, half, { ...to, signal }),
    });
    return { copied: made, bytes };
  });
}

/** A build of its own that did not get to its end: what is in the folder is not what is copied. */
async function clearUnfinished({ host, folder, release }: Place): Promise<void> {
  const begun = await host.read(`${release.folder}.building`);
  if (begun === null) return;
  if (begun.trim() !== 'found') return await removeRelease(host, folder, posix.basename(release.folder));
  throw refuse(
    'ReleaseUnfinished',
    `${release.folder} on ${host.name} was there before it had a build, and its build did not end. Nobody knows what is ` +
      'in it: move it away where nothing serves from it, then retry.',
  );
}

function changed(from: Place, to: Place): Error {
  return refuse(
    'ReleaseChanged',
    `${to.release.version} is another archive on ${to.host.name} than on ${from.host.name}. Give what is new another version.`,
  );
}

/** As one archive, without what ties a checkout to its mirror. */
async function download({ host, folder, release }: Place, path: string, signal: AbortSignal): Promise<void> {
  const packed = posix.join(folder, 'uploads', `built.${randomBytes(6).toString('hex')}.tar`);
  try {
    await demand(host, folder, ['mkdir', '-p', posix.dirname(packed)], signal);
    await demand(host, folder, ['tar', '-cf', packed, '--exclude=./.git', '-C', release.folder, '.'], signal);
    const size = (await host.stat(packed))?.size ?? 0;
    const file = await open(path, 'wx', 0o600);
    try {
      for (let at = 0; at < size; at += pieceBytes) {
        signal.throwIfAborted();
        await file.write(await host.readRange(packed, at, Math.min(pieceBytes, size - at)));
      }
    } finally {
      await file.close();
    }
  } finally {
    await host.remove(packed).catch(() => {});
  }
}

import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import { demand } from './releases-folder.ts';

/** Brings an archive of the worker's machine to this one, and unpacks it into `to`. `folder`: the target's. Needs tar there. */
export async function unpack(
  archive: string,
  to: string,
  { host, folder, signal }: { host: HostPort; folder: string; signal: AbortSignal },
): Promise<void> {
  // Another attempt may be bringing the same one.
  const arrived = posix.join(folder, 'uploads', `${randomBytes(6).toString('hex')}.tar`);
  try {
    await host.upload(archive, arrived, signal);
    await demand(host, folder, ['mkdir', '-p', to], signal);
    // The files are the account's, whoever packed them.
    await demand(host, folder, ['tar', '-xof', arrived, '-C', to], signal);
  } finally {
    await host.remove(arrived).catch(() => {});
  }
}

import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';

/** A machine, and the target's folder there. */
export interface Receiver {
  host: HostPort;
  folder: string;
  signal: AbortSignal;
}

/** A file of the worker's machine on this one, for as long as `use` needs it. Rejects with what either throws. */
export async function withUpload<T>(
  { host, folder, signal }: Receiver,
  file: string,
  use: (arrived: string) => Promise<T>,
): Promise<T> {
  // Another attempt may be bringing the same one.
  const arrived = posix.join(folder, 'uploads', randomBytes(12).toString('hex'));
  try {
    await host.upload(file, arrived, signal);
    return await use(arrived);
  } finally {
    await host.remove(arrived).catch(() => {});
  }
}

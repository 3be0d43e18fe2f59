import { demand } from './releases-folder.ts';
import { type Receiver, withUpload } from './with-upload.ts';

/** Brings an archive of the worker's machine to this one, and unpacks it into `to`. Needs tar there. */
export function unpack(archive: string, to: string, receiver: Receiver): Promise<void> {
  const { host, folder, signal } = receiver;
  return withUpload(receiver, archive, async (arrived) => {
    await demand(host, folder, ['mkdir', '-p', to], signal);
    // The files are the account's, whoever packed them.
    await demand(host, folder, ['tar', '-xof', arrived, '-C', to], signal);
  });
}

/**
 * The files that started each release, kept at the target as `compose/<slot>/<release>.json`, so that going back
 * starts it as it was and not only its image. They hold no secret, neither the runbook's nor any of the project's
 * `.env`: both stand as `${NAME}`, so a password that was changed since stays changed.
 */
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { WrittenConfiguration } from './configuration.ts';

export interface StoredFiles {
  pathOf(slot: Slot, version: string): string;
  /** null where this release never ran in the slot. Throws `StoredFileUnreadable`. */
  read(slot: Slot, version: string): Promise<WrittenConfiguration | null>;
  /** Replaces it as a whole; mode 0600. */
  write(slot: Slot, version: string, file: WrittenConfiguration): Promise<void>;
}

export function createStoredFiles(host: HostPort, folder: string): StoredFiles {
  // A version may be a branch: `feature/cart`.
  const pathOf = (slot: Slot, version: string) =>
    posix.join(folder, 'compose', slot, `${encodeURIComponent(version)}.json`);
  return {
    pathOf,
    async read(slot, version) {
      const path = pathOf(slot, version);
      const text = await host.read(path);
      if (text === null) return null;
      try {
        return JSON.parse(text) as WrittenConfiguration;
      } catch {
        throw refuse(
          'StoredFileUnreadable',
          `${path} is damaged. Remove it: ${version} then starts as the project is now.`,
        );
      }
    },
    write: (slot, version, file) => host.write(pathOf(slot, version), `${JSON.stringify(file, null, 2)}\n`),
  };
}

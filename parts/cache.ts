import { homedir } from 'node:os';
import { join } from 'node:path';

/** A home folder may be shared by machines of several kinds. */
const machine = `${process.platform}-${process.arch}`;

/** Where downloaded parts are kept, for all checkouts of this user: under `~/.cache/holdpoint/parts` as a rule. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdpoint', 'parts', machine);
}

/**
 * The same for programs that must be reachable by another user. PostgreSQL refuses to run as root, and root's
 * home is closed to everybody else, so root keeps them under /var/cache.
 */
export function sharedCacheFolder(): string {
  return process.getuid?.() === 0 ? join('/var/cache/holdpoint/parts', machine) : cacheFolder();
}

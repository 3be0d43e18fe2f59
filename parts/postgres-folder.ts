import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { User } from './postgres-user.ts';

/**
 * The folder that holds a cluster's files: `folder` itself, made, and owned by PostgreSQL's user. When that user
 * cannot get there (root's home is closed to others), a stand-in under /var/lib/holdpoint, the same one each time.
 */
export function postgresFolder(folder: string, user: User | undefined): string {
  const wanted = resolve(folder);
  mkdirSync(dirname(wanted), { recursive: true });
  const reachable = !user || canEnter(dirname(wanted), user);
  const mark = createHash('sha256').update(wanted).digest('hex').slice(0, 8);
  const home = reachable ? wanted : join('/var/lib/holdpoint', `${basename(wanted)}-${mark}`);
  mkdirSync(home, { recursive: true });
  if (user) chownSync(home, user.uid, user.gid);
  return home;
}

/** Asks a process of that user, since only it meets every mode and access list on the way. */
function canEnter(folder: string, user: User): boolean {
  return spawnSync('test', ['-x', folder], { ...user, cwd: '/' }).status === 0;
}

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { User } from './postgres-user.ts';
import { isRunning } from './processes.ts';

const passwordFile = 'holdpoint-password';

/**
 * The cluster's data folder inside `home`, made when missing. It is made beside and renamed when whole, so that
 * dying half way leaves nothing that looks like a cluster; of two at once, one wins. Throws what initdb said.
 */
export function initialize(home: string, bin: string, user: User | undefined): string {
  const data = join(home, 'data');
  if (existsSync(data)) return data;
  removeAbandoned(home);
  const fresh = mkdtempSync(join(home, `new-${process.pid}-`));
  try {
    initdb(fresh, bin, user);
    renameSync(join(fresh, 'data'), data);
  } catch (error) {
    if (!existsSync(data)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return data;
}

/** Password of the superuser `postgres`. */
export function passwordOf(data: string): string {
  return readFileSync(join(data, passwordFile), 'utf8');
}

function initdb(fresh: string, bin: string, user: User | undefined): void {
  const password = join(fresh, 'password');
  writeFileSync(password, randomBytes(18).toString('base64url'), { mode: 0o600 });
  if (user) for (const path of [fresh, password]) chownSync(path, user.uid, user.gid);
  const login = ['--username=postgres', `--pwfile=${password}`, '--auth=scram-sha-256'];
  const args = ['--pgdata', join(fresh, 'data'), '--encoding=UTF8', '--locale=C', '--no-sync', ...login];
  const ran = spawnSync(join(bin, 'initdb'), args, { ...user, cwd: '/', encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`initdb failed: ${ran.error?.message ?? ran.stderr.trim()}`);
  renameSync(password, join(fresh, 'data', passwordFile)); // whoever has the cluster has its password
}

function removeAbandoned(home: string): void {
  for (const name of readdirSync(home)) {
    const maker = /^new-(\d+)-/.exec(name)?.[1];
    if (maker && !isRunning(Number(maker), '')) rmSync(join(home, name), { recursive: true, force: true });
  }
}

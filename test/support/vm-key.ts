import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface VmKey {
  /** Path of the private key. */
  file: string;
  /** A line of authorized_keys. */
  authorized: string;
  remove(): void;
}

/** An ed25519 key without passphrase, in a temporary folder. */
export function createVmKey(): VmKey {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-key-'));
  const file = join(folder, 'id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'holdpoint-test', '-f', file]);
  return {
    file,
    authorized: readFileSync(`${file}.pub`, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

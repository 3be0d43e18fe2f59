import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vm } from './vm.ts';
import type { Output } from './vm-container.ts';

export interface SshOptions {
  user?: string;
  /** Seconds to wait for a connection, and after that for its answer; 30 unless given. */
  patience?: number;
}

/** Runs a shell command in a machine by OpenSSH's own client, with nothing of this machine's settings. 255: no connection. */
export async function ssh(vm: Vm, command: string, options: SshOptions = {}): Promise<Output> {
  const { user = vm.user, patience = 30 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-ssh-'));
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `${vm.knownHostsLine}\n`);
  const settings = [
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    `ConnectTimeout=${patience}`,
    `ServerAliveInterval=${patience}`,
    'ServerAliveCountMax=1',
  ];
  const where = ['-p', String(vm.sshPort), '-i', vm.keyFile, `${user}@${vm.address}`];
  const args = ['-F', 'none', ...settings.flatMap((one) => ['-o', one]), ...where, command];
  return new Promise<Output>((resolve, reject) => {
    execFile('ssh', args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  }).finally(() => rmSync(folder, { recursive: true }));
}

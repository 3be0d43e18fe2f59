import { execFile } from 'node:child_process';
import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath } from './probe.ts';

export const sshd: Search = {
  name: 'sshd',
  variable: 'HOLDPOINT_SSHD_BIN',
  minimum: '8.5', // the first with PerSourceMaxStartups
  places: () => [...onPath('sshd'), '/usr/sbin/sshd'],
  version,
  ...fromApt('/usr/sbin/sshd', 'openssh-server'),
  install: [aptCommand('openssh-server'), 'brew install openssh'],
};

/** Before 9.4 sshd has no -V: it fails, and its version is in what it says about that. */
function version(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, ['-V'], { timeout: 20_000, cwd: '/' }, (error, stdout, stderr) => {
      const found = `${stdout}${stderr}`.match(/OpenSSH_(\d+(\.\d+)+)/)?.[1];
      if (found) resolve(found);
      else reject(new Error(`${path} -V printed no version number${error ? ` (${error.message.trim()})` : ''}`));
    });
  });
}

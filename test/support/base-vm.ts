import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type Docker from 'dockerode';
import { cacheFolder } from '../../parts/cache.ts';
import { findPart } from '../../parts/index.ts';
import { wholeFolder } from '../../parts/whole-folder.ts';
import { oneAtATime } from './vm-lock.ts';

/** What user `asks` answers to sudo. */
export const asksPassword = 'correct-horse-7';

const suite = 'bookworm';

const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'procps', 'iproute2'],
  ...['python3', 'python3-venv', 'git', 'curl', 'ca-certificates', 'nginx-light', 'haproxy'],
];

/** They ask at a console that is not there, want a device, or wake thirty machines at once. */
const masked = [
  ...['systemd-ask-password-console.path', 'systemd-ask-password-wall.path'],
  ...['systemd-logind.service', 'console-getty.service', 'getty.target', 'systemd-pstore.service'],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'fstrim.timer'],
  'e2scrub_reap.service',
];

/** Starts no proxy until a test does, and gives each machine its own identity when it boots first. */
const customize = `#!/bin/sh
set -eu
root=$1
# Empty: each makes its own. Absent would be a first boot, which enables every unit there is.
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
cd "$root/etc/systemd/system"
rm -f multi-user.target.wants/nginx.service multi-user.target.wants/haproxy.service
for unit in ${masked.join(' ')}; do ln -sf /dev/null "$unit"; done
cat >ssh-host-key.service <<'UNIT'
[Unit]
Description=Host key
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
UNIT
mkdir -p ssh.service.d
printf '[Unit]\\nRequires=ssh-host-key.service\\nAfter=ssh-host-key.service\\n' >ssh.service.d/host-key.conf
# A container may mount nothing: it runs such a unit without most of what shields it, but not without a bound path.
mkdir -p haproxy.service.d
printf '[Service]\\nBindReadOnlyPaths=\\n' >haproxy.service.d/no-mounts.conf
: >"$root/etc/default/locale"
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' >"$root/etc/ssh/sshd_config.d/holdpoint-test.conf"
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash deploy
chroot "$root" useradd --create-home --uid 1001 --shell /bin/bash asks
echo 'asks:${asksPassword}' | chroot "$root" chpasswd
cat >"$root/etc/sudoers.d/holdpoint-test" <<'RULES'
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl, /usr/bin/journalctl
asks ALL=(ALL) ALL
RULES
chmod 440 "$root/etc/sudoers.d/holdpoint-test"
`;

const options = [
  '--variant=minbase',
  `--include=${packages.join(',')}`,
  '--aptopt=Apt::Install-Recommends "false"',
  ...['man', 'doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
];

const changes = ['ENV container=docker', 'CMD ["/sbin/init"]'];

/**
 * Makes an image of a Debian machine with systemd and sshd, and gives its reference. It is built from packages once per
 * recipe (40 s on two idle cores) and kept in the cache folder (100 MB); the engine gets it when it has none, in 5 s.
 * Needs root. May run twice, also at the same time in several processes.
 */
export async function ensureVmImage(engine: Docker): Promise<string> {
  const repo = 'holdpoint-test-vm';
  const tag = digest([suite, ...options, ...changes, customize]);
  const reference = `${repo}:${tag}`;
  const has = () =>
    engine
      .getImage(reference)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  if (await has()) return reference;
  const folder = join(cacheFolder(), `vm-${tag}`);
  await oneAtATime(`${folder}.lock`, async () => {
    if (await has()) return;
    await wholeFolder(folder, build);
    const progress = await engine.importImage(createReadStream(join(folder, archive)), { repo, tag, changes });
    await new Promise<void>((resolve, reject) => {
      engine.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  });
  return reference;
}

/** What an engine imports as it is; of what it reads, this is the fastest to unpack. */
const archive = 'machine.tar.gz';

async function build(folder: string): Promise<void> {
  const { path } = await findPart('mmdebstrap', (text) => console.error(text));
  const hook = join(folder, 'customize.sh');
  writeFileSync(hook, customize, { mode: 0o755 });
  const args = ['--quiet', ...options, `--customize-hook=${hook}`, suite, '-', ...mirror()];
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const written = pipeline(child.stdout, createGzip({ level: 1 }), createWriteStream(join(folder, archive)));
  const [code] = await Promise.all([ended, written]);
  if (code !== 0) throw new Error(`mmdebstrap ended with ${code}: ${said.trim().split('\n').slice(-5).join('\n')}`);
  await rm(hook);
}

/** Where this machine gets the suite from; nothing where it is of another, so that mmdebstrap takes its own. */
function mirror(): string[] {
  const format = ['--format', '$(SITE)'];
  const ofSuite = ['Created-By: Packages', `Codename: ${suite}`, 'Component: main'];
  const sites = execFileSync('apt-get', ['indextargets', ...format, ...ofSuite], { encoding: 'utf8' }).trim();
  return sites === '' ? [] : [sites.split('\n')[0]!];
}

function digest(lines: string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

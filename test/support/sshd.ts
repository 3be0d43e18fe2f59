/** Real SSH servers on loopback addresses: every one looks like a machine of its own, and all share this one's files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { findPart } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { isRunning } from '../../parts/processes.ts';

export interface SshServer {
  /** `h1`, `h2`, … */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  /** A folder for what this machine keeps. */
  readonly root: string;
  /** What `host: { ssh: … }` says to get there. */
  readonly options: { host: string; port: number; user: string; key: string; knownHosts: string };
  /** A line for a file of known hosts. */
  readonly knownHost: string;
  /** Public host key, as `ssh-keygen` writes it. */
  readonly hostKey: string;
  /** Processes of the connections that are open now. */
  sessions(): number[];
  /** Cuts every connection, as a power failure of the network would: what runs there runs on. */
  cut(): void;
  /** Nothing answers any more, and nothing is closed; until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Ends the server and its connections at once. */
  stop(): Promise<void>;
}

export interface SshServers {
  readonly folder: string;
  readonly hosts: SshServer[];
  /** Known hosts with every one of them. */
  readonly knownHosts: string;
  /** Private key that every one of them lets in. */
  readonly key: string;
  /** Ends them all, and removes the folder. */
  stop(): Promise<void>;
}

export interface SshServerSettings {
  /** Lines for sshd_config. */
  settings?: string[];
  /** An absolute path that each machine has to itself: what is there is in its `root`. Needs root. */
  own?: string;
  /** Types of host keys. */
  hostKeys?: ('ed25519' | 'ecdsa' | 'rsa')[];
}

/** One server; see {@link fleetOf}. */
export async function startSshd(given: SshServerSettings = {}): Promise<SshServer & { servers: SshServers }> {
  const servers = await fleetOf(1, given);
  return { ...servers.hosts[0]!, servers, stop: servers.stop };
}

/** `count` servers at 127.0.0.2, 127.0.0.3, …, for this very user; returns once they all listen. */
export async function fleetOf(count: number, given: SshServerSettings = {}): Promise<SshServers> {
  const { path } = await findPart('sshd');
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-sshd-'));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const key = join(folder, 'id_ed25519');
  const own = keyPair('ed25519');
  writeFileSync(key, own.private, { mode: 0o600 });
  writeFileSync(join(folder, 'authorized_keys'), `${own.public}\n`);
  writeFileSync(join(folder, 'sshd_config'), configuration(folder, given));
  const port = await freePort();
  const places = Array.from({ length: count }, (_, i) => ({ name: `h${i + 1}`, address: addressOf(i), port }));
  const hosts = await Promise.all(places.map((place) => start(path, folder, place, given)));
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, hosts.map(({ knownHost }) => `${knownHost}\n`).join(''));
  const forget = endWithUs(
    folder,
    hosts.map(({ pid }) => pid),
  );
  const stop = async () => {
    await Promise.all(hosts.map((host) => host.stop()));
    forget();
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, hosts, knownHosts, key, stop };
}

export interface KeyPair {
  private: string;
  public: string;
}

export function keyPair(type: 'ed25519' | 'ecdsa' | 'rsa', passphrase?: string): KeyPair {
  const bits = { ed25519: undefined, ecdsa: 256, rsa: 2048 }[type];
  const locked = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 4 };
  // One in some hundred that ssh2 makes cannot be read, not by ssh2 itself either.
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync(type as 'rsa', { ...(bits && { bits }), ...locked } as never);
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair;
  }
}

function addressOf(i: number): string {
  return `127.0.${Math.floor((i + 2) / 250)}.${(i + 2) % 250}`;
}

function configuration(folder: string, { settings = [] }: SshServerSettings): string {
  return [
    ...settings, // of two lines the first counts
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'MaxStartups 1000',
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'Subsystem sftp internal-sftp',
    'SetEnv SHLVL=1', // bash takes itself for a second shell then, and reads no .bashrc, which may do anything
    '',
  ].join('\n');
}

interface Place {
  name: string;
  address: string;
  port: number;
}

async function start(
  sshd: string,
  folder: string,
  { name, address, port }: Place,
  { hostKeys = ['ed25519'], own }: SshServerSettings,
): Promise<SshServer> {
  const keys = hostKeys.map((type) => {
    const file = join(folder, `${name}_${type}`);
    const pair = keyPair(type);
    writeFileSync(file, pair.private, { mode: 0o600 });
    return { file, public: pair.public };
  });
  const root = join(folder, `root-${name}`);
  mkdirSync(root);
  const words = ['-o', `ListenAddress ${address}`, '-o', `Port ${port}`, ...keys.flatMap(({ file }) => ['-h', file])];
  const command = [sshd, '-D', '-e', '-f', join(folder, 'sshd_config'), ...words];
  if (own) mkdirSync(own, { recursive: true });
  const apart = own
    ? ['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', root, own]
    : [];
  const [program, ...args] = [...apart, ...command] as [string, ...string[]];
  const server = spawn(program, args, {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await untilListening(server);
  server.unref();
  (server.stderr as unknown as { unref(): void }).unref();
  const pid = server.pid!;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const [hostKey = ''] = keys.map((one) => one.public);
  const sessions = () => descendants(pid);
  return {
    name,
    address,
    port,
    pid,
    root,
    options: {
      host: address,
      port,
      user: userInfo().username,
      key: join(folder, 'id_ed25519'),
      knownHosts: join(folder, 'known_hosts'),
    },
    knownHost: `[${address}]:${port} ${hostKey}`,
    hostKey,
    sessions,
    cut: () => signalAll(sessions(), 'SIGKILL'),
    freeze: () => signalAll([pid, ...sessions()], 'SIGSTOP'),
    thaw: () => signalAll([pid, ...sessions()], 'SIGCONT'),
    async stop() {
      const all = [pid, ...sessions()];
      server.ref();
      signalAll(all, 'SIGKILL');
      await ended;
    },
  };
}

/** Throws what sshd said where it ends instead. */
function untilListening(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 10_000) said += text;
      if (said.includes('Server listening')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said}`)));
  });
}

/** sshd's own processes below the listener, and not what they run. */
function descendants(pid: number): number[] {
  const children = childrenOf(pid).filter((child) => isRunning(child, 'sshd'));
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {}
  }
}

const watch = `
folder=$1
shift
cat >/dev/null
for pid; do
  tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$folder" && kill -s KILL "$pid"
done
`;

/** Ends them when this process ends, in whatever way. Returns what calls it off. */
function endWithUs(folder: string, pids: number[]): () => void {
  const watcher = spawn('sh', ['-c', watch, 'sh', folder, ...pids.map(String)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => {
    watcher.kill();
    watcher.stdin.destroy();
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { afterAll, onTestFinished, TestRunner } from 'vitest';
import { engine } from './docker-engine.ts';
import { createVmContainer, endpoint, execIn, type Output } from './vm-container.ts';
import { createVmKey, type VmKey } from './vm-key.ts';
import { createVmNetwork, type VmNetwork } from './vm-network.ts';

export { asksPassword } from './base-vm.ts';

export interface VmOptions {
  /** Its host name. */
  name: string;
  /** The test file's own unless given. */
  network?: VmNetwork;
  /** Paths in it, and the folders of this machine that are there, read-only: `{ '/wheels': await wheelsFor(…) }`. */
  mounts?: Record<string, string>;
}

/** A Debian machine with systemd and sshd, whose users root, `deploy` and `asks` let {@link Vm.keyFile} in. */
export interface Vm {
  name: string;
  /** IPv4 address, reachable from where the engine runs and from other machines. It stays the same for good. */
  address: string;
  sshPort: number;
  /** `deploy`: sudo lets it run systemctl and journalctl without a password, and nothing else. */
  user: string;
  /** Path of the private key. */
  keyFile: string;
  /** `<address> ssh-ed25519 …`, of the host key that it made when it booted first. */
  knownHostsLine: string;
  /** This machine as it sees it: `forContainers(database, vm.gateway)` gives it a database. */
  gateway: string;
  container: Docker.Container;
  /** Runs a program past sshd, as root unless told otherwise. */
  exec(argv: string[], user?: string): Promise<Output>;
  /** Waits until it has booted, sshd included. Throws which units failed, or after two minutes. */
  ready(): Promise<void>;
  /** When it booted last, as the engine says it: the kernel's boot id is this machine's, and never another. */
  bootedAt(): Promise<string>;
  /** Reboots by itself, and waits until it is back. */
  reboot(): Promise<void>;
  /** Shuts down in order. */
  stop(): Promise<void>;
  /** Boots it after a `stop` or `kill`, and waits until it has. */
  start(): Promise<void>;
  /** Ends it at once, as a power cut does. */
  kill(): Promise<void>;
  /** It hangs: its kernel still takes connections, and nobody in it answers. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** The network is cut: nothing that is sent arrives, and nobody is told. */
  disconnect(): Promise<void>;
  connect(): Promise<void>;
  /** Removes it with everything in it. May run twice. */
  remove(): Promise<void>;
}

/** Milliseconds for a hook that starts machines: where none ever was, packages have to be fetched first. */
export const firstBoot = 600_000;

const patience = 120_000;
const started = new Set<Vm>();
let key: VmKey | undefined;
let ownNetwork: Promise<VmNetwork> | undefined;

afterAll(async () => {
  await Promise.all([...started].map((vm) => vm.remove()));
  await (await ownNetwork)?.remove();
  key?.remove();
  ownNetwork = undefined;
  key = undefined;
});

/**
 * Boots a machine and waits until it has, 1 s on an idle engine that has the image. It goes with the test that starts
 * it, or with the test file where a hook does.
 */
export async function startVm({ name, network, mounts = {} }: VmOptions): Promise<Vm> {
  ownNetwork ??= network ? undefined : createVmNetwork();
  key ??= createVmKey();
  const inside = network ?? (await ownNetwork!);
  const address = inside.nextAddress();
  const machine = { name, network: inside, address, mounts, authorizedKey: key.authorized };
  const container = await createVmContainer(machine);
  const vm = vmOf(container, name, inside, address, key.file);
  started.add(vm);
  if (TestRunner.getCurrentTest()) onTestFinished(vm.remove);
  await vm.start();
  const { stdout } = await vm.exec(['cat', '/etc/ssh/ssh_host_ed25519_key.pub']);
  vm.knownHostsLine = `${address} ${stdout.split(' ').slice(0, 2).join(' ')}`;
  return vm;
}

/** `count` machines at once: web-1, web-2, … */
export function startVms(count: number, options: Partial<VmOptions> = {}): Promise<Vm[]> {
  const { name = 'web', ...more } = options;
  return Promise.all(Array.from({ length: count }, (_, i) => startVm({ ...more, name: `${name}-${i + 1}` })));
}

function vmOf(container: Docker.Container, name: string, network: VmNetwork, address: string, keyFile: string): Vm {
  const exec = (argv: string[], user?: string) => execIn(container, argv, user);
  const bootedAt = async () => (await container.inspect()).State.StartedAt;
  const ready = () => hasBooted(name, exec);
  const link = engine().getNetwork(network.name);
  const vm: Vm = {
    name,
    address,
    sshPort: 22,
    user: 'deploy',
    keyFile,
    knownHostsLine: '',
    gateway: network.gateway,
    container,
    exec,
    ready,
    bootedAt,
    async reboot() {
      const before = await bootedAt();
      await exec(['systemctl', 'reboot']).catch(() => {}); // it may be gone before it says so
      const deadline = Date.now() + patience;
      while ((await bootedAt()) === before) {
        if (Date.now() > deadline) throw new Error(`${name} did not go down within ${patience / 1000} s.`);
        await sleep(50);
      }
      await ready();
    },
    async start() {
      await container.start();
      await ready();
    },
    stop: async () => void (await container.stop({ t: 60 })),
    kill: async () => void (await container.kill()),
    pause: async () => void (await container.pause()),
    unpause: async () => void (await container.unpause()),
    disconnect: async () => void (await link.disconnect({ Container: container.id })),
    connect: async () =>
      void (await link.connect({ Container: container.id, EndpointConfig: endpoint(name, address) })),
    async remove() {
      if (!started.delete(vm)) return;
      await container.remove({ force: true, v: true });
    },
  };
  return vm;
}

/** `degraded` is an error: a unit that should be there is not. */
async function hasBooted(name: string, exec: Vm['exec']): Promise<void> {
  const deadline = Date.now() + patience;
  let said = 'nothing';
  while (Date.now() < deadline) {
    const answer = await exec(['systemctl', 'is-system-running', '--wait']).catch((error: Error) => ({
      stdout: error.message,
      stderr: '',
    }));
    said = `${answer.stdout}${answer.stderr}`.trim();
    if (said === 'running') return;
    if (said === 'degraded') {
      const { stdout } = await exec(['systemctl', '--failed', '--no-legend', '--plain']);
      throw new Error(`${name} has booted without:\n${stdout}`);
    }
    await sleep(50);
  }
  throw new Error(`${name} has not booted within ${patience / 1000} s. systemctl says: ${said}`);
}

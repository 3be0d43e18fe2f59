import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { ensureVmImage } from './base-vm.ts';
import { engine } from './docker-engine.ts';
import type { VmNetwork } from './vm-network.ts';

export interface VmContainer {
  name: string;
  network: VmNetwork;
  address: string;
  /** Paths in it, and the folders of this machine that are there, read-only. */
  mounts: Record<string, string>;
  authorizedKey: string;
}

/** Its types know no namespace for control groups. */
type HostConfig = Docker.HostConfig & { CgroupnsMode: 'host' | 'private' };

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Makes a container that boots systemd when it is started. Whatever it does stays in it: it is not privileged. */
export async function createVmContainer(machine: VmContainer): Promise<Docker.Container> {
  const { name, network, address, mounts, authorizedKey } = machine;
  const { Cmd, HostConfig } = cgroups();
  const container = await engine().createContainer({
    name: `${name}-${randomBytes(4).toString('hex')}`,
    Hostname: name,
    Image: await ensureVmImage(engine()),
    StopSignal: 'SIGRTMIN+3', // what systemd takes for a shutdown
    ...(Cmd ? { Cmd } : {}),
    HostConfig: {
      ...HostConfig,
      NetworkMode: network.name,
      RestartPolicy: { Name: 'always' }, // a machine that reboots comes back
      Tmpfs: { '/run': 'mode=755', '/run/lock': '', ...HostConfig.Tmpfs },
      Binds: [...(HostConfig.Binds ?? []), ...Object.entries(mounts).map(([inside, here]) => `${here}:${inside}:ro`)],
    },
    NetworkingConfig: { EndpointsConfig: { [network.name]: endpoint(name, address) } },
  });
  try {
    await container.putArchive(authorizedKeys(authorizedKey), { path: '/' });
  } catch (error) {
    await container.remove({ force: true });
    throw error;
  }
  return container;
}

export function endpoint(name: string, address: string): Docker.EndpointSettings {
  return { IPAMConfig: { IPv4Address: address }, Aliases: [name] } as Docker.EndpointSettings;
}

/**
 * With version 1 systemd needs its own hierarchy alone. Never all of /sys/fs/cgroup: it would mount this machine's anew.
 * With version 2 it may write below its own group, which is all that it sees there.
 */
function cgroups(): { Cmd?: string[]; HostConfig: HostConfig } {
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    const Tmpfs = { '/sys/fs/cgroup': 'rw,mode=755' };
    const Binds = ['/sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:rw'];
    return { HostConfig: { CgroupnsMode: 'host', Tmpfs, Binds } };
  }
  return {
    Cmd: ['sh', '-c', 'mount -o remount,rw /sys/fs/cgroup && exec /sbin/init'],
    HostConfig: { CgroupnsMode: 'private', CapAdd: ['SYS_ADMIN'], SecurityOpt: ['apparmor=unconfined'] },
  };
}

/** Of root and of both users. */
function authorizedKeys(key: string): NodeJS.ReadableStream {
  const tar = pack();
  for (const [home, uid] of [
    ['root', 0],
    ['home/deploy', 1000],
    ['home/asks', 1001],
  ] as const) {
    const owner = { uid, gid: uid };
    tar.entry({ name: `${home}/.ssh`, type: 'directory', mode: 0o700, ...owner });
    tar.entry({ name: `${home}/.ssh/authorized_keys`, mode: 0o600, ...owner }, key);
  }
  tar.finalize();
  return tar;
}

/** Runs a program in a container, as root unless told otherwise. Throws where the container does not run. */
export async function execIn(container: Docker.Container, argv: string[], user = 'root'): Promise<Output> {
  const exec = await container.exec({ Cmd: argv, User: user, AttachStdout: true, AttachStderr: true });
  const both = await exec.start({});
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  container.modem.demuxStream(both, stdout, stderr);
  both.on('close', () => {
    stdout.end();
    stderr.end();
  });
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  const { ExitCode } = await exec.inspect();
  return { code: ExitCode ?? -1, stdout: out, stderr: err };
}

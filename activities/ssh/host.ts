/** Another machine, reached with SSH, as the worker's own `ssh` command would reach it. */
import type { HostPort } from '../../workflows/ports.ts';
import { hostJobs } from '../commands/host-jobs.ts';
import type { HostContext } from '../hosts/context.ts';
import type { ProductKind } from '../product-kind.ts';
import { exec } from './exec.ts';
import { list, read, readRange, remove, stat, write } from './files.ts';
import type { Machine } from './machine.ts';
import { sshOptions } from './options.ts';
import { withConnection } from './pool.ts';
import { routeTo } from './route.ts';
import { connect } from './stream.ts';
import { upload } from './upload.ts';

export const ssh: ProductKind<HostPort, HostContext> = {
  options: sshOptions,
  create: (context, options) => createSshHost(context, options),
};

/** Connects to nothing yet. Throws `NoHost`, `SshConfigInvalid`. */
export function createSshHost({ machine: given, secrets }: HostContext, options: unknown): HostPort {
  const route = routeTo(sshOptions.parse(options), given);
  const machine: Machine = { name: route.name, use: (work) => withConnection(route, secrets, work) };
  const host: HostPort = {
    name: route.name,
    exec: (command, how) => exec(machine, command, how),
    read: (path) => read(machine, path),
    readRange: (path, from, length) => readRange(machine, path, from, length),
    stat: (path) => stat(machine, path),
    write: (path, content, mode) => write(machine, path, content, mode),
    upload: (from, to, signal) => upload(machine, from, to, signal),
    remove: (path) => remove(machine, path),
    list: (path) => list(machine, path),
    connect: (to) => connect(machine, to),
    jobs: (folder) => hostJobs(host, folder),
  };
  return host;
}

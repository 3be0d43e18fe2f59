import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Lab } from '../support/lab.ts';
import { commandsOf, quoted } from './commands.ts';
import type { Machines } from './machines.ts';

const run = promisify(execFile);

/** A shell script with the usual `ControlMaster`: the first `ssh` connects, those after it go the same way. */
export async function opensshLoop(lab: Lab, machines: Machines, round: string): Promise<void> {
  const { hosts, key, knownHosts } = machines;
  const sockets = join(lab.folder, 'cm');
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  const options = [
    ...['-F', 'none', '-i', key, '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes'],
    ...['-o', 'ControlMaster=auto', '-o', `ControlPath=${sockets}/%h`, '-o', 'ControlPersist=30'],
  ];
  const commands = commandsOf(machines, round).map(quoted);
  const where = hosts.map(({ options: { host, port, user } }) => ['-p', `${port}`, `${user}@${host}`]);
  await Promise.all(
    where.map(async (words) => {
      for (const command of commands) await run('ssh', [...options, ...words, command], { timeout: 120_000 });
    }),
  );
}

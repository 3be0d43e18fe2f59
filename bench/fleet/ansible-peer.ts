import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../parts/cache.ts';
import { onPath } from '../../parts/probe.ts';
import { runProgram } from '../../parts/program.ts';
import { wholeFolder } from '../../parts/whole-folder.ts';
import type { Lab } from '../support/lab.ts';
import { commandsOf } from './commands.ts';
import type { Machines } from './machines.ts';

/** The newest that Python 3.11, Debian 12's, takes. */
export const ansibleVersion = '2.19.14';

const run = promisify(execFile);

/** Python with Ansible in it, made once and kept where parts are kept. Throws what pip said. */
export async function findAnsible(): Promise<string> {
  const [python = 'python3'] = onPath('python3');
  const folder = join(cacheFolder(), `ansible-core-${ansibleVersion}`);
  await wholeFolder(folder, async (unfinished) => {
    await runProgram(python, ['-m', 'venv', unfinished]);
    await runProgram(join(unfinished, 'bin', 'python'), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ansible-core==${ansibleVersion}`],
    ]);
  });
  return join(folder, 'bin', 'python');
}

/** A play of as many `command` tasks, as quick as Ansible is set: pipelining, a fork for each machine, no facts. */
export async function ansiblePlay(python: string, lab: Lab, machines: Machines, round: string): Promise<void> {
  const { hosts, key, knownHosts, own } = machines;
  const tasks = commandsOf(machines, round).map((argv) => ({ name: argv[4], 'ansible.builtin.command': { argv } }));
  const playbook = lab.write(`${round}.json`, JSON.stringify([{ hosts: 'all', gather_facts: false, tasks }]));
  const [interpreter = '/usr/bin/python3'] = onPath('python3');
  const inventory = hosts.map(
    ({ name, options: { host, port, user } }) =>
      `${name} ansible_host=${host} ansible_port=${port} ansible_user=${user} ansible_ssh_private_key_file=${key} ` +
      `ansible_python_interpreter=${interpreter}`,
  );
  const list = lab.write(`inventory-${hosts.length}`, `${inventory.join('\n')}\n`);
  const configuration = [
    ...['[defaults]', 'forks = 50', 'gathering = explicit', 'retry_files_enabled = False', 'timeout = 60'],
    ...[`local_tmp = ${join(lab.folder, 'ansible')}`, `remote_tmp = ${join(own, '.ansible')}`],
    ...['[ssh_connection]', 'pipelining = True', `control_path_dir = ${join(lab.folder, 'ansible-cm')}`],
    `control_path = %(directory)s/%%h`,
    `ssh_args = -F none -o ControlMaster=auto -o ControlPersist=30s -o UserKnownHostsFile=${knownHosts}`,
  ];
  const file = lab.write('ansible.cfg', `${configuration.join('\n')}\n`);
  const env = { ...process.env, ANSIBLE_CONFIG: file, ANSIBLE_NOCOLOR: '1' };
  await run(python, ['-m', 'ansible', 'playbook', '-i', list, playbook], {
    env,
    timeout: 300_000,
    maxBuffer: 64 << 20,
  });
}

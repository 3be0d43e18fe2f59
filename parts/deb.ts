import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from './probe.ts';
import { runProgram } from './program.ts';
import { wholeFolder } from './whole-folder.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const source = `deb [signed-by=${keyring}] http://deb.debian.org/debian trixie main\n`;

/** Whether this machine has Debian's tools and keys. */
export function canUnpackDeb(): boolean {
  return existsSync(keyring) && ['apt-get', 'dpkg-deb'].every((name) => onPath(name).length > 0);
}

/**
 * Makes `target` a folder with the files of a package of Debian 13, whole or not at all; nothing when it is there.
 * Installs nothing, and leaves the machine's own apt as it is. Needs no root. Throws what apt said.
 */
export async function unpackDeb(name: string, target: string): Promise<void> {
  await wholeFolder(target, async (folder) => {
    const apt = join(folder, 'apt');
    await mkdir(join(apt, 'lists/partial'), { recursive: true });
    await mkdir(join(apt, 'archives/partial'), { recursive: true });
    await writeFile(join(apt, 'sources.list'), source);
    await runProgram('apt-get', [...isolated(apt), 'update']);
    await runProgram('apt-get', [...isolated(apt), 'download', name], { cwd: apt });
    const file = (await readdir(apt)).find((entry) => entry.endsWith('.deb'));
    await runProgram('dpkg-deb', ['-x', join(apt, file ?? `${name}.deb`), folder]);
    await rm(apt, { recursive: true });
  });
}

function isolated(apt: string): string[] {
  const settings = [
    `Dir::Etc::sourcelist=${join(apt, 'sources.list')}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(apt, 'lists')}`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${apt}`,
    'APT::Sandbox::User=', // root's folders are closed to the user _apt
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

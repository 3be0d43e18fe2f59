import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../commands/on-this-machine.ts';

/** Packs `files` (name → content) into `<folder>/shop-<version>.tar.gz`. */
export function packed(folder: string, version: string, files: Record<string, string> = {}): string {
  const source = temporaryFolder();
  for (const [name, content] of Object.entries({ version, ...files })) {
    mkdirSync(dirname(join(source, name)), { recursive: true });
    writeFileSync(join(source, name), content);
  }
  const archive = join(folder, `shop-${version}.tar.gz`);
  execFileSync('tar', ['-czf', archive, '-C', source, '.']);
  return archive;
}

export function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

import { posix, relative, sep } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { pack } from 'tar-fs';
import { readIfThere } from '../commands/files.ts';

// Its types promise a `default` that its code does not have.
const ignore = dockerignore as unknown as typeof dockerignore.default;

/** The folder as the engine takes it for a build, without what .dockerignore names. */
export async function buildContext(folder: string, dockerfile: string): Promise<NodeJS.ReadableStream> {
  const rules = (await readIfThere(posix.join(folder, '.dockerignore'))) ?? '';
  const isSent = ignore({ ignorecase: false }).add(rules).createFilter();
  // Docker sends both whatever the rules say: it reads them itself.
  const always = new Set([posix.normalize(dockerfile), '.dockerignore']);
  return pack(folder, {
    ignore(path: string) {
      const name = relative(folder, path).split(sep).join('/');
      return name !== '' && !always.has(name) && !isSent(name);
    },
  });
}

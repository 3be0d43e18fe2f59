import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';

export interface Entry {
  name: string;
  /** null of a folder. */
  content: string | null;
  /** Where a symbolic link points. */
  link?: string;
}

/** What a tar archive holds, in its order. */
export async function entriesOf(archive: NodeJS.ReadableStream): Promise<Entry[]> {
  const entries: Entry[] = [];
  const reader = extract();
  reader.on('entry', (header, content: Readable, next) => {
    const chunks: Buffer[] = [];
    content.on('data', (chunk: Buffer) => chunks.push(chunk));
    content.on('end', () => {
      const { name, type, linkname } = header;
      const link = type === 'symlink' && linkname ? { link: linkname } : {};
      entries.push({ name, content: type === 'file' ? Buffer.concat(chunks).toString() : null, ...link });
      next();
    });
  });
  await pipeline(archive, reader);
  return entries;
}

import { open } from 'node:fs/promises';
import { isMissing } from './files.ts';

/** How much of a command's output is kept, bytes. */
export const outputLimit = 64 * 1024;

/** Keeps the last `outputLimit` bytes of a stream. */
export class OutputTail {
  #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= outputLimit) this.#size -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-outputLimit).toString();
  }
}

/** The last `bytes` of a file; empty where there is no such file. */
export async function readTail(path: string, bytes: number = outputLimit): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, bytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.subarray(0, bytesRead).toString();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Shared {
  users: number;
  folder: string | null;
  file: Promise<string>;
  stop: AbortController;
}

const shared = new Map<string, Shared>();

/**
 * A file of the worker's machine for all that need it at the same time, such as the machines of a fleet: made once, and
 * removed after the last of them. `key` says what is in it. Rejects with the signal's reason.
 */
export async function withTemporaryFile<T>(
  key: string,
  make: (path: string, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
  use: (path: string) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  setMaxListeners(0, signal);
  const found = shared.get(key) ?? begin(key, make);
  found.users++;
  try {
    return await use(await orAborted(found.file, signal));
  } finally {
    found.users--;
    if (found.users === 0) await end(key, found);
  }
}

function begin(key: string, make: (path: string, signal: AbortSignal) => Promise<unknown>): Shared {
  const begun: Shared = { users: 0, folder: null, file: Promise.resolve(''), stop: new AbortController() };
  begun.file = (async () => {
    begun.folder = await mkdtemp(join(tmpdir(), 'holdpoint-'));
    const path = join(begun.folder, 'file');
    await make(path, begun.stop.signal);
    return path;
  })();
  begun.file.catch(() => {});
  shared.set(key, begun);
  return begun;
}

async function end(key: string, found: Shared): Promise<void> {
  if (shared.get(key) === found) shared.delete(key);
  found.stop.abort();
  await found.file.catch(() => {});
  if (found.folder) await rm(found.folder, { recursive: true, force: true });
}

async function orAborted<T>(made: Promise<T>, signal: AbortSignal): Promise<T> {
  const heard = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: heard.signal });
  });
  return await Promise.race([made, aborted]).finally(() => heard.abort());
}

import { setTimeout as sleep } from 'node:timers/promises';

/** What `work` gives, or an error that names what did not happen within `ms`. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what}: not within ${ms / 1000} s`);
  });
  late.catch(() => {}); // called off below
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Looks every 50 ms until it is so. Throws with `what` after `ms`. */
export async function until(ms: number, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + ms; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms / 1000} s`);
    await sleep(50);
  }
}

/** Does `work` for each number below `count`, at most `width` at the same time, in order. */
export async function inWaves(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, one));
}

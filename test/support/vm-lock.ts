import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Does `work` while no other process of this machine does any under the same file's lock, which ends with this process. */
export async function oneAtATime<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const keeper = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(keeper, 'close');
  const locked = once(keeper.stdout, 'data');
  const lost = gone.then(([code]) => {
    throw new Error(`flock ${file} ended with ${code} before it had the lock.`);
  });
  lost.catch(() => {}); // afterwards it ends because it is told to
  await Promise.race([locked, lost]);
  try {
    return await work();
  } finally {
    keeper.stdin.end();
    await gone;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Session } from './connect.ts';
import { type Retry, retryOf } from './retries.ts';

const everyMs = 1_000;

/** Waits for a run's result, and tells of every new reason why a step is being tried again. */
export async function resultOf<T>(session: Session, handle: WorkflowHandle, tell: (retry: Retry) => void): Promise<T> {
  const over = new AbortController();
  const telling = (async () => {
    let told = '';
    while (!over.signal.aborted) {
      await sleep(everyMs, undefined, { signal: over.signal }).catch(() => {});
      const retry = over.signal.aborted ? null : await retryOf(session, handle);
      if (retry && retry.message !== told) tell(retry);
      told = retry?.message ?? told;
    }
  })();
  try {
    return await handle.result();
  } finally {
    over.abort();
    await telling;
  }
}

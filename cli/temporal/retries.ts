import type { WorkflowHandle } from '@temporalio/client';
import type { Session } from './connect.ts';

/** A step that is being tried again. */
export interface Retry {
  /** The try under way or next, from 2. */
  attempt: number;
  /** Why the last one failed. */
  message: string;
}

/** What is tried again now, and why; null while all is well or nobody can say. Never throws. */
export async function retryOf(session: Session, handle: WorkflowHandle): Promise<Retry | null> {
  try {
    const { raw } = await session.connection.withDeadline(Date.now() + 2_000, () => handle.describe());
    for (const { attempt, lastFailure } of raw.pendingActivities ?? []) {
      if ((attempt ?? 1) > 1 && lastFailure) return { attempt: attempt!, message: lastFailure.message || 'it failed' };
    }
  } catch {
    // Only a comfort: whoever follows the run notices by itself when Temporal is away.
  }
  return null;
}

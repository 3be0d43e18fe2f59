import type { RunStatus } from '../../workflows/runbook/status.ts';
import type { Retry } from '../temporal/retries.ts';

/** Where a followed run is shown. */
export interface View {
  /** The newest status; called again with each that differs. */
  show(status: RunStatus): void;
  /** Nobody answers for a while; null when somebody does again. */
  trouble(sentence: string | null): void;
  /** A step is being tried again, and why; null when it is no more. */
  retrying(retry: Retry | null): void;
  /** Leaves the screen in order; nothing is shown afterwards. */
  close(): void;
}

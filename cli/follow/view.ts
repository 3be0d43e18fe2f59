import type { RunStatus } from '../../workflows/runbook/status.ts';

/** Where a followed run is shown. */
export interface View {
  /** The newest status; called again with each that differs. */
  show(status: RunStatus): void;
  /** Nobody answers for a while; null when somebody does again. */
  trouble(sentence: string | null): void;
  /** Leaves the screen in order; nothing is shown afterwards. */
  close(): void;
}

import type { RunStatus } from '../../workflows/runbook/status.ts';
import { changesBetween } from '../render/changes.ts';
import type { View } from './view.ts';

/** One JSON object a line per change. */
export function createJsonView(write: (change: unknown) => void): View {
  let before: RunStatus | null = null;
  let reason: string | null = null;
  let troubled: string | null = null;
  return {
    show(status) {
      for (const change of changesBetween(before, status, Date.now())) write(change);
      before = status;
    },
    trouble(sentence) {
      if (sentence !== troubled) write({ change: 'trouble', at: Date.now(), sentence });
      troubled = sentence;
    },
    retrying(retry) {
      if (retry && retry.message !== reason) write({ change: 'retrying', at: Date.now(), ...retry });
      reason = retry?.message ?? null;
    },
    close() {},
  };
}

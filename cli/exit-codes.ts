import type { RunStatus } from '../workflows/runbook/status.ts';

/** What the process ends with; scripts may rely on these numbers. */
export const exitCodes = {
  succeeded: 0,
  unexpected: 1,
  usage: 2,
  invalidRunbook: 3,
  unreachable: 4,
  noWorker: 5,
  locked: 6,
  refused: 7,
  rolledBack: 10,
  aborted: 11,
  superseded: 12,
  failedUnchanged: 13,
  needsAttention: 14,
  detached: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One line for each code, for `--help` and the documentation. */
export const exitCodeMeanings: [ExitCode, string][] = [
  [0, 'succeeded'],
  [1, 'unexpected error'],
  [2, 'wrong usage'],
  [3, 'runbook or environments invalid; nothing was started'],
  [4, 'Temporal not reachable'],
  [5, 'no worker polls the task queue'],
  [6, 'another deploy holds the lock'],
  [7, 'a decision was refused'],
  [10, 'rolled back'],
  [11, 'aborted'],
  [12, 'superseded'],
  [13, 'failed, nothing was changed'],
  [14, 'needs attention: a person must look'],
  [130, 'detached with Ctrl-C; the deploy goes on'],
];

/**
 * The code of a finished run. A failure that touched something needs a person as much as a failed undo does; a
 * rollback that somebody asked for has succeeded when it has rolled back.
 */
export function exitCodeOf({ outcome, changed, intent }: Pick<RunStatus, 'outcome' | 'changed' | 'intent'>): ExitCode {
  switch (outcome) {
    case null:
      return exitCodes.unexpected;
    case 'succeeded':
      return exitCodes.succeeded;
    case 'rolled back':
      return intent === 'rollback' ? exitCodes.succeeded : exitCodes.rolledBack;
    case 'aborted':
      return exitCodes.aborted;
    case 'superseded':
      return exitCodes.superseded;
    case 'failed':
      return changed ? exitCodes.needsAttention : exitCodes.failedUnchanged;
    case 'needs attention':
      return exitCodes.needsAttention;
  }
}

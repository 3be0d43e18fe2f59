import type { StepStatus } from '../../workflows/runbook/status.ts';

/** What somebody looks for among a thousand steps that went well. */
export function isWorthReading({ state, note, evidence, verdict }: StepStatus): boolean {
  const plain = state === 'done' || state === 'pending' || state === 'undone';
  const judged = verdict !== undefined && verdict.word !== 'passed';
  return !plain || Boolean(note) || evidence?.setAside !== undefined || judged;
}

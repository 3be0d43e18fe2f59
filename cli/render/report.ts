import { type Plan, phases } from '../../workflows/runbook/plan.ts';
import type { RunStatus, StepStatus } from '../../workflows/runbook/status.ts';
import { titleOf } from './headline.ts';
import { oneLine } from './text.ts';
import { took, utc } from './time.ts';

/** All that a report is made of. */
export interface Report {
  status: RunStatus;
  /** null where no worker could give it. */
  plan: Plan | null;
  workflowId: string;
  runId: string;
  /** Page of the run in the Temporal UI. */
  link: string | null;
}

/** The same for every format: `Deploy shop 1 → 2 to production: succeeded`. */
export function headlineOf({ status }: Report): string {
  return `${titleOf(status)}: ${status.outcome ?? status.state}`;
}

/** Who, when, how long, which plan; label and value. */
export function basicsOf({ status, plan, workflowId, runId }: Report): [string, string][] {
  const rows: [string, string | null][] = [
    ['Started by', oneLine(status.startedBy)],
    ['Started', utc(status.startedAt)],
    ['Ended', status.endedAt === null ? 'not yet' : utc(status.endedAt)],
    ['Took', status.endedAt === null ? null : took(status.endedAt - status.startedAt)],
    ['From', status.from ?? 'nothing: the first deploy'],
    ['To', status.release],
    ['Strategy', status.strategy],
    ['Target', plan?.target.name ?? null],
    ['Plan', status.digest],
    ['Way back until the confirmation', status.wayBack],
    ['Run', `${workflowId} ${runId}`],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

export interface PhaseOf {
  phase: string;
  steps: StepStatus[];
}

/** Phases that have steps, in the checklist's order. */
export function stepsByPhase(status: RunStatus): PhaseOf[] {
  return phases
    .map((phase) => ({ phase, steps: status.steps.filter((step) => step.phase === phase) }))
    .filter(({ steps }) => steps.length > 0);
}

/** Steps that the way back touched, or left as they are. */
export function undoneOf(status: RunStatus): StepStatus[] {
  return status.steps.filter((step) => ['undoing', 'undone', 'undo failed', 'left'].includes(step.state));
}

export const measuredColumns = ['Window', 'Requests', 'Errors', 'Share', 'p50', 'p95'];

/** A row a step whose traffic was watched. */
export function measuredRows({ steps }: RunStatus): string[][] {
  return steps.flatMap(({ sentence, measurement }) => {
    if (!measurement) return [];
    const { requests, errors, p50Ms, p95Ms } = measurement;
    const share = requests > 0 ? `${((errors / requests) * 100).toFixed(2)} %` : 'no data';
    const times = [p50Ms, p95Ms].map((ms) => (ms === null ? 'no data' : `${Math.round(ms)} ms`));
    return [[sentence, String(requests), String(errors), share, ...times]];
  });
}

export const decisionColumns = ['At', 'Who', 'What', 'Step', 'Reason', ''];

/** A row a decision, refused ones too, as they came. */
export function decisionRows({ decisions }: RunStatus): string[][] {
  return decisions.map((decision) => [
    utc(decision.at),
    decision.by ?? 'nobody named',
    decision.verb,
    decision.step ?? '',
    decision.reason ?? '',
    decision.accepted ? 'counted' : `refused: ${decision.refusal ?? ''}`,
  ]);
}

/** How long the step took; empty where it has not begun. */
export function durationOf(step: StepStatus): string {
  if (step.startedAt === undefined) return '';
  return step.endedAt === undefined ? 'not ended' : took(step.endedAt - step.startedAt);
}

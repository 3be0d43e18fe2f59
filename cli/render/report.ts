import type { Finding, TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import { type Plan, phases } from '../../workflows/runbook/plan.ts';
import type { RunStatus, StepStatus } from '../../workflows/runbook/status.ts';
import { describeTargets } from './aside.ts';
import { outcomeOf, titleOf } from './headline.ts';
import { oneLine } from './text.ts';
import { took, utc } from './time.ts';
import { isWorthReading } from './worth-reading.ts';

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

/** The same for every format: `Deploy shop 1 → 2 to production: succeeded, 1 machine set aside`. */
export function headlineOf({ status }: Report): string {
  return `${titleOf(status)}: ${outcomeOf(status)}`;
}

/** Who, when, how long, which plan; label and value. */
export function basicsOf({ status, plan, workflowId, runId }: Report): [string, string][] {
  const rows: [string, string | null][] = [
    ['Started by', oneLine(status.startedBy)],
    ['Started', utc(status.startedAt)],
    ['Ended', status.endedAt === null ? 'not yet' : utc(status.endedAt)],
    ['Took', status.endedAt === null ? null : took(status.endedAt - status.startedAt)],
    ...versions(status),
    ['Strategy', status.strategy],
    ['Targets', plan ? describeTargets(plan.targets) : null],
    ['Plan', status.digest],
    ['Way back until the confirmation', status.wayBack],
    ['Run', `${workflowId} ${runId}`],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

function versions({ intent, from, release }: RunStatus): [string, string | null][] {
  if (intent === 'reconcile') return [['Release', release]];
  return [
    ['From', from ?? 'nothing: the first deploy'],
    ['To', release],
  ];
}

export const asideColumns = ['Target', 'Machine', 'Why'];

/** A row a machine that the run went on without; of very many the first hundred, and how many more there are. */
export function asideRows({ aside }: RunStatus): string[][] {
  const rows = aside.slice(0, mostMachines).map(({ target, host, why }) => [target, host, oneLine(why)]);
  const more = aside.length - mostMachines;
  return more > 0 ? [...rows, ['', `and ${more} more`, '`holdpoint report --format json` has them all']] : rows;
}

const mostMachines = 100;

/** What to do about them. */
export function asideAdvice({ aside }: RunStatus): string {
  const it = aside.length === 1 ? 'it' : 'them';
  return `Once ${aside.length === 1 ? 'it is' : 'they are'} well again, \`holdpoint reconcile\` brings ${it} to the confirmed release and back into the traffic.`;
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

/** Of a phase with very many steps the middle of those that went alike is told in a line; the JSON report has all. */
export const foldedInReports = { kind: ({ state }: StepStatus): string => state, stays: isWorthReading, ends: 10 };

export function moreSteps(folded: readonly StepStatus[]): string {
  return `${folded.length} more steps, ${folded[0]!.state}; \`holdpoint report --format json\` has them all`;
}

/** Steps that the way back touched, or left as they are. */
export function undoneOf(status: RunStatus): StepStatus[] {
  return status.steps.filter((step) => ['undoing', 'undone', 'undo failed', 'left'].includes(step.state));
}

export const findingColumns = ['Step', 'Check', 'Verdict', 'Candidate', 'Stable', 'Found', 'Asked'];

/** A row a finding, with the numbers of both sides and what was asked for them. */
export function findingRows({ steps }: RunStatus): string[][] {
  return steps.flatMap(({ id, verdict }) =>
    (verdict?.findings ?? []).map((finding) => [
      id,
      finding.name,
      finding.word,
      finding.candidate === null ? 'no data' : valueIn(finding, finding.candidate),
      finding.stable === null ? '–' : valueIn(finding, finding.stable),
      finding.sentence,
      finding.source ?? '',
    ]),
  );
}

function valueIn({ name }: Finding, value: number): string {
  if (name === 'errors') return percent(value);
  return /^p(50|95|99)$/.test(name) ? `${Math.round(value)} ms` : String(value);
}

export const measuredColumns = ['Step', 'Side', 'Window', 'Requests', 'Errors', 'Share', 'p50', 'p95', 'p99'];

/** A row a side of each step whose traffic was watched: the samples that its verdict stands on. */
export function measuredRows({ steps }: RunStatus): string[][] {
  return steps.flatMap(({ sentence, verdict }) => [
    ...(verdict?.candidate ? [measuredRow(sentence, 'candidate', verdict.candidate)] : []),
    ...(verdict?.stable ? [measuredRow(sentence, 'stable', verdict.stable)] : []),
  ]);
}

function measuredRow(sentence: string, side: string, measured: TrafficMeasurement): string[] {
  const { requests, errors, p50Ms, p95Ms, p99Ms, windowMs } = measured;
  const share = requests > 0 ? percent(errors / requests) : 'no data';
  const times = [p50Ms, p95Ms, p99Ms].map((ms) => (ms === null ? 'no data' : `${Math.round(ms)} ms`));
  return [sentence, side, took(windowMs), String(requests), String(errors), share, ...times];
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

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

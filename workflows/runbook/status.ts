import type { Receipt, Verdict } from './checks.ts';
import type { Intent, Phase, SetAside } from './plan.ts';

/** How a run ended; one word each. */
export const outcomes = ['succeeded', 'rolled back', 'aborted', 'superseded', 'failed', 'needs attention'] as const;
export type Outcome = (typeof outcomes)[number];

export type RunState = 'planning' | 'running' | 'waiting' | 'paused' | 'rolling back' | 'ended';

export type StepState =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'done'
  | 'failed'
  | 'skipped'
  | 'undoing'
  | 'undone'
  | 'undo failed'
  | 'left';

/** One line of the run, as people see it. Times are ms since the epoch. */
export interface StepStatus {
  id: string;
  phase: Phase;
  sentence: string;
  state: StepState;
  startedAt?: number;
  endedAt?: number;
  /** What was seen or measured: `{ size: '12 kB', rows: 40 }`. */
  evidence?: Record<string, string | number | boolean | null>;
  verdict?: Verdict;
  /** Why it failed, was skipped, or was left as it is. */
  note?: string;
  /** What going back did or does here. */
  undo?: string;
}

/** Everything a person sent, counted or refused; refused ones say why. */
export interface DecisionRecord {
  at: number;
  /** `approve`, `reject`, `pause`, `resume`, `retry`, `skip`, `abort`, `rollback`, `supersede`. */
  verb: string;
  /** As claimed by the sender; null where the message named nobody. */
  by: string | null;
  step: string | null;
  reason: string | null;
  accepted: boolean;
  /** Why it was refused; null where it counted. */
  refusal: string | null;
}

/** A question that is open now. */
export interface OpenHold {
  step: string;
  ask: string;
  /** People who may answer; empty: anyone. */
  by: string[];
  since: number;
  /** ms since the epoch; null: for ever. */
  until: number | null;
  otherwise: 'rollback' | 'proceed';
  /** `decide`: approve or reject. `failed`: retry, skip, or rollback. */
  kind: 'decide' | 'failed';
}

/** One run, whole: the answer of the `status` query, and the workflow's result. */
export interface RunStatus {
  service: string;
  environment: string;
  intent: Intent;
  /** Version asked for; for a rollback known once planned. */
  release: string | null;
  from: string | null;
  startedBy: string;
  startedAt: number;
  endedAt: number | null;
  state: RunState;
  outcome: Outcome | null;
  /** One sentence: why it ended as it did, or where it stands. */
  sentence: string;
  digest: string | null;
  strategy: string | null;
  notices: string[];
  wayBack: string | null;
  /** Something outside Holdpoint's own markers was touched. */
  changed: boolean;
  steps: StepStatus[];
  decisions: DecisionRecord[];
  hold: OpenHold | null;
  paused: { by: string; reason: string | null } | null;
  /** What the deploy cost its users; null until it is counted, or without a proxy. */
  receipt: Receipt | null;
  /** Machines that the run went on without, and why. */
  aside: SetAside[];
}

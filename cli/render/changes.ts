import type { Intent, SetAside } from '../../workflows/runbook/plan.ts';
import type {
  DecisionRecord,
  OpenHold,
  Outcome,
  RunState,
  RunStatus,
  StepStatus,
} from '../../workflows/runbook/status.ts';

/** Something that happened between two looks at a run; one JSON object a line with `--json`. Times are ms since the epoch. */
export type Change =
  | {
      change: 'planned';
      at: number;
      digest: string;
      intent: Intent;
      from: string | null;
      release: string | null;
      steps: number;
      wayBack: string | null;
      notices: string[];
    }
  | { change: 'state'; at: number; state: RunState; sentence: string }
  | { change: 'step'; at: number; step: StepStatus }
  | { change: 'hold'; at: number; hold: OpenHold; digest: string | null }
  | { change: 'decision'; at: number; decision: DecisionRecord }
  /** Machines that the run now goes on without, and those that it has taken back. */
  | { change: 'aside'; at: number; aside: SetAside[]; back: SetAside[] }
  | { change: 'ended'; at: number; outcome: Outcome; sentence: string; aside: SetAside[] };

/** What is new in `next`, oldest first. `before` is null at the first look, which tells everything so far. Pure. */
export function changesBetween(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  const changes = [
    ...planned(before, next, now),
    ...steps(before, next, now),
    ...decisions(before, next),
    ...aside(before, next, now),
    ...state(before, next, now),
    ...hold(before, next),
  ].sort((a, b) => a.at - b.at);
  return [...changes, ...ended(before, next, now)];
}

function planned(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  if (next.digest === null || before?.digest) return [];
  const { digest, intent, from, release, wayBack, notices } = next;
  const at = Math.min(now, ...next.steps.flatMap((step) => step.startedAt ?? []));
  return [{ change: 'planned', at, digest, intent, from, release, steps: next.steps.length, wayBack, notices }];
}

function steps(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  return next.steps.flatMap((step) => {
    const old = before?.steps.find((candidate) => candidate.id === step.id);
    const same = old ? old.state === step.state && old.note === step.note : step.state === 'pending';
    // The open question says the same, and more.
    if (same || step.state === 'waiting') return [];
    const at = (step.state === 'running' ? step.startedAt : step.endedAt) ?? step.startedAt ?? now;
    return [{ change: 'step' as const, at: isGoingBack(step) ? now : at, step }];
  });
}

function decisions(before: RunStatus | null, next: RunStatus): Change[] {
  return next.decisions
    .slice(before?.decisions.length ?? 0)
    .map((decision) => ({ change: 'decision' as const, at: decision.at, decision }));
}

function aside(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  const isIn = (all: SetAside[]) => {
    const known = new Set(all.map(nameOf));
    return (one: SetAside) => known.has(nameOf(one));
  };
  const earlier = before?.aside ?? [];
  const gone = next.aside.filter((one) => !isIn(earlier)(one));
  const back = earlier.filter((one) => !isIn(next.aside)(one));
  return gone.length + back.length > 0 ? [{ change: 'aside', at: now, aside: gone, back }] : [];
}

const nameOf = ({ target, host }: SetAside): string => `${target}/${host}`;

function state(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  const told = next.state === 'paused' || next.state === 'rolling back' || before?.state === 'paused';
  if (!told || next.state === 'ended' || before?.state === next.state) return [];
  return [{ change: 'state', at: now, state: next.state, sentence: next.sentence }];
}

function hold(before: RunStatus | null, next: RunStatus): Change[] {
  if (!next.hold) return [];
  const same = before?.hold?.step === next.hold.step && before.hold.since === next.hold.since;
  return same ? [] : [{ change: 'hold', at: next.hold.since, hold: next.hold, digest: next.digest }];
}

function ended(before: RunStatus | null, next: RunStatus, now: number): Change[] {
  if (!next.outcome || before?.outcome) return [];
  return [
    { change: 'ended', at: next.endedAt ?? now, outcome: next.outcome, sentence: next.sentence, aside: next.aside },
  ];
}

/** The step's own times are those of the way there. */
export function isGoingBack({ state }: StepStatus): boolean {
  return state === 'undoing' || state === 'undone' || state === 'undo failed' || state === 'left';
}

import type { InstanceSpec } from './actions.ts';
import { clip } from './clip.ts';
import { toMs } from './duration.ts';
import { fill } from './fill.ts';
import type { Observed } from './observed.ts';
import type { Release, Slot, Step, Target } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import type { Runbook } from './schema.ts';

/** Everything planning looks at. Nothing else influences a plan. */
export interface PlanInput {
  runbook: Runbook;
  environment: string;
  target: Target;
  /** Members of each group that may answer a hold; null: there are no groups, anyone may. */
  approvers: Record<string, string[]> | null;
  observed: Observed;
  /** Absolute folder of a version's release. */
  releaseFolder: (version: string) => string;
}

/** What a strategy works with: the input, and what follows from it for one release. */
export interface Situation extends PlanInput {
  release: Release;
  /** Slot that serves the version to keep alive; null at a first deploy. */
  live: Slot | null;
  /** What to return to; null where nothing served before. */
  from: Release | null;
}

/** A strategy is a planner of these: what happens to the instances around the migrations. */
export interface StrategySteps {
  /** Where the release will serve. */
  slot: Slot;
  /** Id of the step from whose start on users may be served by the new version. */
  servesFrom: string;
  beforeMigrations: Step[];
  rollout: Step[];
  /** After the confirmation. */
  cleanUp: Step[];
  notices: string[];
}

export const other = (slot: Slot): Slot => (slot === 'blue' ? 'green' : 'blue');

const allTo = (slot: Slot): Record<Slot, number> => (slot === 'blue' ? { blue: 1, green: 0 } : { blue: 0, green: 1 });

export const quickMs = 60_000;

export function instance({ runbook, target }: PlanInput, release: Release, slot: Slot): InstanceSpec {
  const port = target.ports[slot];
  const values = { version: release.version, port, folder: release.folder };
  return {
    service: runbook.service,
    release,
    port,
    command: runbook.rollout.start.map((word) => fill(word, values)),
    env: Object.fromEntries(Object.entries(runbook.rollout.env).map(([key, text]) => [key, fill(text, values)])),
    secrets: runbook.prepare.secrets,
  };
}

export function startAction(input: PlanInput, release: Release, slot: Slot) {
  return { kind: 'start', slot, instance: instance(input, release, slot) } as const;
}

/** Drains first. What is still in flight at the deadline keeps it running, unless going on matters more. */
export function stopAction({ runbook }: PlanInput, slot: Slot, ifNotDrained: 'leave running' | 'stop' = 'stop') {
  const { drain, grace } = runbook.rollout;
  return { kind: 'stop', slot, drainMs: toMs(drain), graceMs: toMs(grace), ifNotDrained } as const;
}

/** For a slot that keeps its traffic while it is replaced: a drain would never end. SIGTERM lets requests finish. */
export function stopInTraffic({ runbook }: PlanInput, slot: Slot) {
  return { kind: 'stop', slot, drainMs: 0, graceMs: toMs(runbook.rollout.grace), ifNotDrained: 'stop' } as const;
}

export function probeOf({ runbook }: PlanInput) {
  const { ready, deadline } = runbook.rollout;
  return { path: ready.replace(/^GET /, ''), deadlineMs: toMs(deadline), successes: 3 };
}

export function probeAction(input: PlanInput, slot: Slot) {
  return { kind: 'probe', slot, probe: probeOf(input) } as const;
}

/** Gives all traffic to a slot; the step probes that slot right before. */
export function shiftAction(input: PlanInput, slot: Slot) {
  return { kind: 'shift', weights: allTo(slot), probe: probeOf(input) } as const;
}

/** How long draining and stopping may take until the step counts as failed. */
export function stopDeadline({ runbook }: PlanInput): number {
  return toMs(runbook.rollout.drain) + toMs(runbook.rollout.grace) + quickMs;
}

/** People who may answer, flattened from the groups; empty: anyone. Sorted, so that a digest stays the same. */
export function mayAnswer({ approvers, environment }: PlanInput, by: string | string[] | undefined): string[] {
  const groups = by === undefined ? [] : [by].flat();
  const people = groups.flatMap((group) => {
    if (approvers === null) return [];
    const members = approvers[group];
    if (members) return members;
    const known = Object.keys(approvers).join(', ') || 'none';
    throw new PlanRefused('UnknownGroup', `environment ${environment} has no group "${group}"; it has ${known}`);
  });
  return [...new Set(people)].sort();
}

export function claimStep(input: PlanInput): Step {
  return {
    id: 'prepare.claim',
    phase: 'prepare',
    sentence: `Take ${input.runbook.service} on ${input.target.name} for this deploy`,
    action: { kind: 'claim' },
    deadlineMs: quickMs,
  };
}

/** Unique ids (the second `run` of a phase is `run-2`), and sentences that fit into a timeline. */
export function finished(steps: Step[]): Step[] {
  const taken = new Set<string>();
  return steps.map((step) => {
    let id = step.id;
    for (let count = 2; taken.has(id); count += 1) id = `${step.id}-${count}`;
    taken.add(id);
    return { ...step, id, sentence: clip(step.sentence, longestSentence) };
  });
}

/** Temporal keeps at most 200 bytes of a summary. */
const longestSentence = 160;

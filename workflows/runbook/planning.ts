import type { InstanceTemplate, Side } from './actions.ts';
import { clip } from './clip.ts';
import { toMs } from './duration.ts';
import { fill } from './fill.ts';
import type { Observed } from './observed.ts';
import { hostsOf, isFleet, mostSide, placeOf, placesOf, slotsOf } from './places.ts';
import type { Phase, Release, Slot, Step, Target, Weights } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import type { Artifact, Build, Runbook, Strategy } from './schema.ts';

/** Everything planning looks at for one target. Nothing else influences a plan. */
export interface PlanInput {
  runbook: Runbook;
  environment: string;
  target: Target;
  strategy: Strategy;
  /** As `rollout.ready` says for this target. */
  ready: string;
  /** Members of each group that may answer a hold; null: there are no groups, anyone may. */
  approvers: Record<string, string[]> | null;
  observed: Observed;
  /** A version that runs or ran here, as a release. */
  releaseOf: (version: string, image?: string) => Release;
}

/** What a strategy works with: the input, and what follows from it for one release. */
export interface Situation extends PlanInput {
  release: Release;
  /** Slots that serve the version to keep alive; empty at a first deploy. */
  live: Slot[];
  /** What to return to; null where nothing served before. */
  from: Release | null;
}

/** What a strategy makes: a step without the target, which the planner adds. */
export type Draft = Omit<Step, 'target'>;

/** A strategy is a planner of these: what happens to the instances around the migrations. */
export interface StrategySteps {
  /** How traffic is shared in the end; its slots are where the release will serve. */
  weights: Weights;
  /** Id of the step from whose start on users may be served by the new version. */
  servesFrom: string;
  beforeMigrations: Draft[];
  rollout: Draft[];
  /** After the confirmation. */
  cleanUp: Draft[];
  notices: string[];
}

export const quickMs = 60_000;

/** Slots with a share. */
export const serving = (weights: Weights): Slot[] => Object.keys(weights).filter((slot) => weights[slot]! > 0);

/** The same share for each of `slots`; 0 for the others of the target. */
export function shared(target: Target, slots: Slot[]): Weights {
  return Object.fromEntries(slotsOf(target).map((slot) => [slot, slots.includes(slot) ? 1 / slots.length : 0]));
}

/** `web1, web2 and 3 more`. */
export function names(slots: string[]): string {
  if (slots.length <= 4) return slots.join(', ');
  return `${slots.slice(0, 2).join(', ')} and ${slots.length - 2} more`;
}

/**
 * The slots that serve, at most one a machine; empty at a first deploy. Throws PlanRefused where several of a machine
 * do: that is a pool.
 */
export function oneLiveEach({ live, strategy, target }: Situation): Slot[] {
  const machines = isFleet(target) ? hostsOf(target, live).length : 1;
  if (live.length <= machines) return live;
  throw new PlanRefused(
    'PoolServes',
    `${names(live)} of ${target.name} serve together, and ${strategy} knows one that serves: use strategy: rolling.`,
  );
}

/** A slot without traffic on each machine. Throws PlanRefused where one has only the slot that serves. */
export function idleSlots(situation: Situation): Slot[] {
  const { strategy, target, environment } = situation;
  const live = oneLiveEach(situation);
  const machines = eachMachine(target);
  const besideLive = (slots: Slot[]) => {
    const served = slots.find((slot) => live.includes(slot));
    return served === undefined ? undefined : slots.find((slot) => slot !== served);
  };
  const others = machines.flatMap((slots) => besideLive(slots) ?? []);
  const idle = machines.map((slots) =>
    slots.some((slot) => live.includes(slot)) ? besideLive(slots) : emptySlot(situation, slots, others),
  );
  if (idle.every((slot) => slot !== undefined)) return idle;
  throw new PlanRefused(
    'NoIdleSlot',
    `${strategy} needs a second slot beside ${names(live)}, and ${target.name} has none in environment ${environment}. ` +
      'Give it a port (ports: { blue: 4001, green: 4002 }), or use strategy: recreate, which has an outage.',
  );
}

/** The slots of each machine. */
export function eachMachine(target: Target): Slot[][] {
  if (!isFleet(target)) return [slotsOf(target)];
  const machines = new Map<string | null, Slot[]>();
  for (const { host, slot } of placesOf(target)) machines.set(host, [...(machines.get(host) ?? []), slot]);
  return [...machines.values()];
}

/**
 * Where nothing serves yet: the one of a machine's `slots` on the side of most of the `others`, since shares grow from
 * side to side; at a first deploy one without a share, which a deploy that was ended may have left.
 */
export function emptySlot({ observed, target }: Situation, slots: Slot[], others: Slot[]): Slot {
  const side = mostSide(target, others);
  const alike = slots.find((slot) => placeOf(target, slot).side === side);
  return alike ?? slots.find((slot) => !observed.weights?.[slot]) ?? slots[0]!;
}

/** The slot that serves on each machine; where none does, one that can. */
export function liveOrEmptySlots(situation: Situation): Slot[] {
  const live = oneLiveEach(situation);
  return eachMachine(situation.target).map(
    (slots) => slots.find((slot) => live.includes(slot)) ?? emptySlot(situation, slots, live),
  );
}

export function instance({ runbook, target }: PlanInput, release: Release): InstanceTemplate {
  const values = { ...valuesFor(target, release), ...laterIn(release) };
  return {
    service: runbook.service,
    release,
    command: (runbook.rollout.start ?? []).map((word) => fill(word, values)),
    env: Object.fromEntries(Object.entries(runbook.rollout.env).map(([key, text]) => [key, fill(text, values)])),
    secrets: runbook.prepare.secrets,
  };
}

/** What a runbook's words may name. */
export function valuesFor(target: Target, { version, folder }: Release): Record<string, string | number> {
  return { version, folder, target: target.name };
}

/** Filled in for each slot, where it starts. The port is the machine's: inside a container nobody listens there. */
function laterIn({ image }: Release): Record<string, string> {
  const machine = { host: '{host}', address: '{address}' };
  return image === undefined ? { ...machine, port: '{port}' } : machine;
}

export function startAction(input: PlanInput, release: Release, slots: Slot[]) {
  return { kind: 'start', slots, instance: instance(input, release) } as const;
}

/** Drains first. What is still in flight at the deadline keeps it running, unless going on matters more. */
export function stopAction({ runbook }: PlanInput, slots: Slot[], ifNotDrained: 'leave running' | 'stop' = 'stop') {
  const { drain, grace } = runbook.rollout;
  return { kind: 'stop', slots, drainMs: toMs(drain), graceMs: toMs(grace), ifNotDrained } as const;
}

/** For slots that keep their traffic while they are replaced: a drain would never end. SIGTERM lets requests finish. */
export function stopInTraffic({ runbook }: PlanInput, slots: Slot[]) {
  return { kind: 'stop', slots, drainMs: 0, graceMs: toMs(runbook.rollout.grace), ifNotDrained: 'stop' } as const;
}

function probeOf({ runbook, ready }: PlanInput) {
  const path = ready === 'healthcheck' ? null : ready.replace(/^GET /, '');
  return { path, deadlineMs: toMs(runbook.rollout.deadline), successes: 3 };
}

export function probeAction(input: PlanInput, slots: Slot[]) {
  return { kind: 'probe', slots, probe: probeOf(input) } as const;
}

/** Slots that serve already, and only get their neighbours' share as well, need no probe: also where they are ill. */
export function shiftAction(input: PlanInput, weights: Weights, fresh: Slot[]) {
  return { kind: 'shift', weights, fresh, probe: probeOf(input) } as const;
}

/** How long probing and shifting may take until the step counts as failed. */
export const shiftDeadline = (input: PlanInput): number => quickMs + probeOf(input).deadlineMs;

/** How long draining and stopping may take until the step counts as failed. */
export function stopDeadline({ runbook }: PlanInput): number {
  return toMs(runbook.rollout.drain) + toMs(runbook.rollout.grace) + quickMs;
}

export const sideOf = (release: Release, slots: Slot[]): Side => ({ version: release.version, slots });

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

export function claimStep(input: PlanInput): Draft {
  return {
    id: 'prepare.claim',
    phase: 'prepare',
    sentence: `Take ${input.runbook.service} on ${input.target.name} for this deploy`,
    action: { kind: 'claim' },
    deadlineMs: quickMs,
  };
}

/** A step's id in the plan: with the target's name in it where there are several, `rollout.server.start`. */
export function placedId(id: string, target: Target, several: boolean): string {
  return several ? id.replace('.', `.${target.name}.`) : id;
}

/** Puts a target's name into its steps, and into their ids where there are several. */
export function placed(drafts: Draft[], target: Target, several: boolean): Step[] {
  const named = (id: string) => placedId(id, target, several);
  return drafts.map((draft) => ({
    ...draft,
    id: named(draft.id),
    target: target.name,
    ...(draft.undo?.until && { undo: { ...draft.undo, until: named(draft.undo.until) } }),
  }));
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

/** How the deploy itself builds its release; undefined where it finds one that exists. */
export function buildOf(artifact: Artifact): Build | undefined {
  return 'image' in artifact ? artifact.build : undefined;
}

/** The heading that a step's id begins with. */
export const phaseOf = (id: string): Phase => id.slice(0, id.indexOf('.')) as Phase;

/** Temporal keeps at most 200 bytes of a summary. */
const longestSentence = 160;

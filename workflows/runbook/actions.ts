import type { Probe, SmokeTest, WatchLimits } from './checks.ts';
import type { Release, Slot } from './plan.ts';

/**
 * Everything a step or an undo can do, as data. The walker performs an action by its `kind`
 * (workflows/steps); it knows no strategy and no product. Every one of them may run twice.
 */
export type Action =
  /** Take the target for this deploy: older deploys' writes are refused from here on. */
  | { kind: 'claim' }
  /** The release is there, and every secret resolves. Changes nothing. */
  | { kind: 'check-release'; release: Release; secrets: string[] }
  /** A command of the runbook's own, run once, in the release's folder. */
  | { kind: 'run'; command: string[]; env: Record<string, string>; secrets: string[]; folder: string }
  /** A request of the runbook's own. */
  | { kind: 'http'; request: SmokeTest }
  /** A person decides. */
  | { kind: 'hold'; ask: string; by: string[]; expiresMs: number | null; otherwise: 'rollback' | 'proceed' }
  | { kind: 'wait'; ms: number }
  /** Dump, restore into a scratch database, compare. `scratch` names the secret with the scratch server's URL. */
  | { kind: 'backup'; product: string; database: string; scratch: string | null; folder: string }
  | { kind: 'migrate-up'; tool: MigrationTool; pending: string[] }
  /** Back to exactly `to` (the revisions applied before this deploy), with the new release's own tool. */
  | { kind: 'migrate-down'; tool: MigrationTool; to: string[] }
  | { kind: 'start'; slot: Slot; instance: InstanceSpec }
  | { kind: 'probe'; slot: Slot; probe: Probe }
  /** `at` is a slot's own address before traffic, or the front door once it serves. */
  | { kind: 'smoke'; at: Slot | 'front'; tests: SmokeTest[] }
  /** Share of traffic per slot, 0–1, summing to 1. Every slot that gets some is probed right before. */
  | { kind: 'shift'; weights: Record<Slot, number>; probe: Probe }
  /** Measure what the proxy saw of this slot; a verdict follows. */
  | { kind: 'watch'; slot: Slot; limits: WatchLimits }
  /**
   * Drained first, observed, then stopped. Does nothing where nothing runs. `drainMs` 0: not drained, since its
   * traffic stays. What is not drained in time keeps running and fails the step, or is stopped all the same.
   */
  | { kind: 'stop'; slot: Slot; drainMs: number; graceMs: number; ifNotDrained: 'leave running' | 'stop' }
  /** The point of no return: from here on this release is the confirmed one, and undos are dropped. */
  | { kind: 'confirm'; slot: Slot; release: Release; previous: Release | null };

export type ActionKind = Action['kind'];
export type ActionOf<K extends ActionKind> = Extract<Action, { kind: K }>;

/** What has to run in a slot. */
export interface InstanceSpec {
  service: string;
  release: Release;
  port: number;
  /** argv, placeholders already filled. */
  command: string[];
  env: Record<string, string>;
  /** Names of the secrets that go into its environment under the same names. */
  secrets: string[];
}

/** The service's own migration tool, of the new release. */
export interface MigrationTool {
  /** `command`, or a named tool such as `dbmate`. */
  kind: string;
  /** Folder in which its commands run: the new release's. */
  folder: string;
  /** Secret that holds the database URL. */
  database: string;
  secrets: string[];
  /** For `command`: argv of each verb. `current` and `pending` print one revision a line. Empty for named tools. */
  commands: Partial<Record<'current' | 'pending' | 'up' | 'down', string[]>>;
}

/** Kinds that change nothing which a newer deploy would have to know of: a run that only did these may give way. */
export const harmless: ReadonlySet<ActionKind> = new Set([
  'claim',
  'check-release',
  'hold',
  'wait',
  'backup',
  'probe',
  'smoke',
  'watch',
]);

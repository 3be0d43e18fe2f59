import type { Analysis, Probe, Prober, SmokeTest } from './checks.ts';
import type { Release, Slot, Weights } from './plan.ts';
import type { Artifact, ImageArtifact } from './schema.ts';

/**
 * Everything a step or an undo can do, as data. The walker performs an action by its `kind`
 * (workflows/steps); it knows no strategy and no product. Every one of them may run twice.
 */
export type Action =
  /** Take the target for this deploy: older deploys' writes are refused from here on. */
  | { kind: 'claim' }
  /** Build the release's image, after its tests, and push it where the runbook says so; the digest is recorded. */
  | { kind: 'build'; release: Release; artifact: ImageArtifact; secrets: string[] }
  /** The release is made available at the target (pulled, checked out), and every secret resolves. */
  | { kind: 'fetch'; release: Release; artifact: Artifact; secrets: string[] }
  /** A command of the runbook's own, run once, or once on each machine, in the release's folder. */
  | { kind: 'run'; command: string[]; secrets: string[]; release: Release; each: boolean }
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
  | { kind: 'start'; slots: Slot[]; instance: InstanceTemplate }
  /** What runs in the slots takes up another release without ending: the service's own graceful reload. */
  | { kind: 'reload'; slots: Slot[]; instance: InstanceTemplate }
  | { kind: 'probe'; slots: Slot[]; probe: Probe }
  /** `at` are slots' own addresses before traffic, or the front door once it serves. */
  | { kind: 'smoke'; at: Slot[] | 'front'; tests: SmokeTest[] }
  /** `fresh`: slots that come into the traffic, or get more of it: each is probed right before. */
  | { kind: 'shift'; weights: Weights; fresh: Slot[]; probe: Probe }
  /**
   * Measure the candidate's slots, beside the stable ones over the same minutes where there are any; a verdict follows.
   * `by`: people who may decide where it is undecided; empty: anyone.
   */
  | { kind: 'watch'; candidate: Side; stable: Side | null; analysis: Analysis; by: string[] }
  /** From here on the receipt counts; `prober` sends harmless requests through the front door meanwhile. */
  | { kind: 'open-receipt'; prober: Prober | null }
  /** What was served since, by version; ends the prober. Its result stands in the run's status and report. */
  | { kind: 'close-receipt'; before: Record<Slot, string> }
  /**
   * Drained first, observed, then stopped. Does nothing where nothing runs. `drainMs` 0: not drained, since its
   * traffic stays. What is not drained in time keeps running and fails the step, or is stopped all the same.
   */
  | { kind: 'stop'; slots: Slot[]; drainMs: number; graceMs: number; ifNotDrained: 'leave running' | 'stop' }
  /** The point of no return: from here on this release is the confirmed one, and undos are dropped. */
  | { kind: 'confirm'; weights: Weights; release: Release; previous: Release | null }
  /** Keep the newest `keep` releases and the ones in use; remove older ones. */
  | { kind: 'prune'; artifact: Artifact; keep: number; inUse: Release[] };

export type ActionKind = Action['kind'];
export type ActionOf<K extends ActionKind> = Extract<Action, { kind: K }>;

/** One version, and where it runs. */
export interface Side {
  version: string;
  slots: Slot[];
}

/** What has to run in slots: `{port}`, `{host}` and `{address}` are filled in for each. */
export interface InstanceTemplate {
  service: string;
  release: Release;
  /** argv; empty: the image's, or the unit's, own. */
  command: string[];
  env: Record<string, string>;
  /** Names of the secrets that go into its environment under the same names. */
  secrets: string[];
}

/** What has to run in one slot. */
export interface InstanceSpec extends InstanceTemplate {
  port: number;
}

/** The service's own migration tool, of the new release. */
export interface MigrationTool {
  /** `command`, or a named tool such as `dbmate`. */
  kind: string;
  /** The new one: its commands run where it runs, in its folder. */
  release: Release;
  /** Secret that holds the database URL. */
  database: string;
  secrets: string[];
  /** For `command`: argv of each verb. `current` and `pending` print one revision a line. Empty for named tools. */
  commands: Partial<Record<'current' | 'pending' | 'up' | 'down', string[]>>;
}

/** Kinds that change nothing which a newer deploy would have to know of: a run that only did these may give way. */
export const harmless: ReadonlySet<ActionKind> = new Set([
  'claim',
  'fetch',
  'build',
  'hold',
  'wait',
  'backup',
  'probe',
  'smoke',
  'watch',
  'open-receipt',
]);

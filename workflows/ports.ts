/**
 * What deploying needs from the world; interfaces only. The activities implement them.
 *
 * Two levels. `DeployActivities` is what the walker calls, one function per verb of the plan.
 * The ports below it (`HostPort`, `InstancesPort`, `TrafficPort`, …) are what a product implements,
 * one file per product; `activities/` finds the product by the `kind` that the plan's target names.
 *
 * Every function may be called twice, or again after a call that died half way: it states a wanted
 * state, looks first, and does only what is missing.
 */
import type { Duplex } from 'node:stream';
import type { ActionOf, InstanceSpec, MigrationTool } from './runbook/actions.ts';
import type { Probe, Receipt, SmokeTest, TrafficMeasurement, Verdict } from './runbook/checks.ts';
import type { InstanceState, MigrationState } from './runbook/observed.ts';
import type { HostName, Intent, Plan, Release, SetAside, Slot, Target, Weights } from './runbook/plan.ts';
import type { Runbook } from './runbook/schema.ts';
import type { TargetLook } from './runbook/target-look.ts';

/** Who writes: goes with every call that changes something, and is left as a marker at the target. */
export interface Writer {
  /** Grows with every deploy of this service and environment; the target refuses writers with a smaller one. */
  fence: number;
  /** `<workflowId>|<fence>|<plan digest>|<step id>|<try>`: the same for every attempt of the same try of a step. */
  key: string;
  /** Workflow id of the deploy, for messages. */
  deploy: string;
}

/**
 * What a verb did on several machines. Of a fleet those that failed are told, with the reason, after each was tried for
 * a while; the workflow decides what that means. Where the target is one machine the verb throws instead.
 */
export interface Across {
  evidence: Evidence;
  failed: Record<HostName, string>;
}

/** Facts worth reading later, shown in the run's history and in the report: small, flat, no secrets. */
export type Evidence = Record<string, string | number | boolean | null>;

export type LookRequest = Pick<PlanRequest, 'runbook' | 'environment' | 'folder'>;

export interface PlanRequest {
  runbook: Runbook;
  environment: string;
  /** Absolute folder of the runbook; relative paths in it start here. */
  folder: string;
  /** null unless it is a deploy: the plan finds the release to bring back. */
  version: string | null;
  intent: Intent;
}

export interface DeployActivities {
  /** Observes the target, then plans. Changes nothing. Fails non-retryably with `PlanRefused`, `UnknownRelease`, … */
  makePlan(request: PlanRequest): Promise<Plan>;
  lookAtTargets(request: LookRequest): Promise<TargetLook[]>;

  claimTarget(input: { target: Target; writer: Writer }): Promise<Across>;
  buildRelease(input: ActionOf<'build'> & { target: Target; writer: Writer }): Promise<Evidence>;
  fetchRelease(input: ActionOf<'fetch'> & { target: Target; writer: Writer }): Promise<Across>;
  runCommand(input: ActionOf<'run'> & { target: Target; writer: Writer }): Promise<Across>;
  callHttp(input: ActionOf<'http'> & { target: Target }): Promise<Evidence>;
  backUp(input: ActionOf<'backup'> & { target: Target; writer: Writer }): Promise<Evidence>;
  migrateUp(input: ActionOf<'migrate-up'> & { target: Target; writer: Writer }): Promise<Evidence>;
  migrateDown(input: ActionOf<'migrate-down'> & { target: Target; writer: Writer }): Promise<Evidence>;
  startInstance(input: ActionOf<'start'> & { target: Target; writer: Writer }): Promise<Across>;
  reloadInstance(input: ActionOf<'reload'> & { target: Target; writer: Writer }): Promise<Across>;
  probeInstance(input: ActionOf<'probe'> & { target: Target }): Promise<Across>;
  smokeTest(input: ActionOf<'smoke'> & { target: Target }): Promise<Across>;
  shiftTraffic(input: { weights: Weights; target: Target; writer: Writer }): Promise<Evidence>;
  /** `since`: start of the window, ms since the epoch, fixed by the workflow so that a retry measures the same. */
  watchTraffic(input: ActionOf<'watch'> & { target: Target; since: number }): Promise<Verdict>;
  /** Returns once the proxy reports no request in flight to the slots, several looks in a row. */
  drainInstance(input: { slots: Slot[]; drainMs: number; target: Target; writer: Writer }): Promise<Evidence>;
  stopInstance(input: { slots: Slot[]; graceMs: number; target: Target; writer: Writer }): Promise<Across>;
  recordRelease(input: ActionOf<'confirm'> & { target: Target; writer: Writer }): Promise<Across>;
  pruneReleases(input: ActionOf<'prune'> & { target: Target; writer: Writer }): Promise<Across>;
  /** Leaves a note of the machines that a deploy went on without, for `reconcile`; none: takes it away. */
  noteAside(input: { aside: SetAside[]; target: Target; writer: Writer }): Promise<Across>;
  openReceipt(input: ActionOf<'open-receipt'> & { target: Target; writer: Writer }): Promise<Evidence>;
  /** null where none was opened. */
  closeReceipt(input: ActionOf<'close-receipt'> & { target: Target; writer: Writer }): Promise<Receipt | null>;
}

// ---------------------------------------------------------------------------- what products implement

export interface CommandResult {
  /** null when a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  /** Last 64 KiB each. */
  stdout: string;
  stderr: string;
}

/**
 * A machine. Paths are absolute there, addresses and sockets are as they are seen from there. Every function throws
 * `HostUnreachable`, worth another try, where nobody answers before anything began.
 */
export interface HostPort {
  /** For messages: `this machine`, `web1 (deploy@10.0.0.11)`. */
  readonly name: string;
  /**
   * Runs argv to its end, `input` on its stdin; the group is killed when `signal` aborts. A non-zero exit is a result,
   * not an error. Throws `ConnectionLost`, worth another try, where nobody knows how it ended: look at what it did.
   */
  exec(
    command: string[],
    options: { cwd?: string; env?: Record<string, string>; input?: string; signal?: AbortSignal },
  ): Promise<CommandResult>;
  /** null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** `length` bytes from `from` on, fewer at the end of the file. Throws where there is no such file. */
  readRange(path: string, from: number, length: number): Promise<Buffer>;
  /** Size in bytes, and the file's own number, by which one that was rotated is known; null where there is none. */
  stat(path: string): Promise<{ size: number; inode: number } | null>;
  /** Whole or not at all (temporary file and rename), mode 0600 unless given; makes the folders. */
  write(path: string, content: string, mode?: number): Promise<void>;
  /** A file of the worker's machine, whole or not at all, its checksum compared there. Skipped where it is there. */
  upload(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** No error where it is gone already. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted; empty where there is none. */
  list(path: string): Promise<string[]>;
  /** A stream to who listens there, as seen from the machine. Throws `ECONNREFUSED` and the like as Node does. */
  connect(to: { address: string; port: number } | { socket: string }): Promise<Duplex>;
  /** Commands that run once, whatever dies; their markers are below `folder`. */
  jobs(folder: string): JobsPort;
}

/** The machine, or the inside of an image: enough for a release's own tools. */
export type Inside = Pick<HostPort, 'exec' | 'read' | 'write' | 'remove' | 'list'>;

export interface InstancesPort {
  /** What is in the slot, null where nothing ever was or all is removed. */
  observe(slot: Slot): Promise<InstanceState | null>;
  /**
   * Starts it unless exactly this release already runs in the slot. Never starts it twice. Refuses a slot in which
   * another release runs. `writer` is left as labels where the product has them.
   */
  ensureRunning(slot: Slot, spec: InstanceSpec, env: Record<string, string>, writer: Writer): Promise<Evidence>;
  /** SIGTERM, `graceMs`, SIGKILL of the whole group; removed afterwards. */
  ensureStopped(slot: Slot, graceMs: number): Promise<Evidence>;
  /**
   * The instance in the slot takes up this release without ending; starts it where nothing runs. Absent: the product
   * cannot do that.
   */
  ensureReloaded?(slot: Slot, spec: InstanceSpec, env: Record<string, string>, writer: Writer): Promise<Evidence>;
  /** The last lines of what it printed, for errors. */
  tail(slot: Slot): Promise<string>;
  /** Where it can be reached directly. */
  address(slot: Slot): string;
  /**
   * Whether it is well by the product's own account (an image's HEALTHCHECK): null where it has none, or not yet.
   * Throws non-retryably where it has ended, with how and its last lines.
   */
  health(slot: Slot): Promise<'healthy' | 'starting' | 'unhealthy' | null>;
  /** Lines it printed between two moments, ms since the epoch, oldest first, at most 10,000. */
  logs(slot: Slot, from: number, to: number): Promise<LogLine[]>;
  /** One-off commands of a release, where its instances run. */
  jobs: JobsPort;
  /** The release's files and commands as its own tools see them: the machine, or the inside of its image. */
  inside(release: Release): Inside;
  /** What a person should know before a deploy: settings that cost something, in sentences. */
  notices(): Promise<string[]>;
}

export interface LogLine {
  /** ms since the epoch; null where the product keeps no time. */
  at: number | null;
  text: string;
}

/** One-off commands that run once per key, whatever dies in between, and that a later call finds again. */
export interface JobsPort {
  /**
   * Runs it to its end, once per key; every later call with the key returns the same end. A non-zero exit is a
   * result. When `signal` aborts, rejects with its reason, after ending the command if the step was cancelled.
   */
  run(input: JobInput): Promise<JobResult>;
  /** Lets the key run again: for a lost job, once it is known what it did. Throws `JobRunning` while it runs. */
  forget(key: string): Promise<void>;
}

export interface JobInput {
  key: string;
  release: Release;
  command: string[];
  /** Handed over in memory, never written anywhere. */
  env: Record<string, string>;
  signal: AbortSignal;
}

export interface JobResult {
  /** 128 + n when signal n ended it, 127 when there is no such command; null when lost. */
  exitCode: number | null;
  /** stdout and stderr as they came, last 64 KiB. */
  output: string;
  /** An earlier or overlapping attempt started it. */
  attached: boolean;
  /** It ended without leaving an exit code: nobody knows what it did. Said again on every call until `forget`. */
  lost: boolean;
}

/** Where releases come from. */
export interface ArtifactPort {
  /** Versions that are there, in natural order: 2 before 10. */
  list(): Promise<string[]>;
  /** The version, pinned; null where there is none. Changes nothing. Throws (worth another try) where nobody answers. */
  find(version: string): Promise<Release | null>;
  /** Makes it available where it will run: pulled, checked out. May run twice. */
  fetch(release: Release, signal: AbortSignal): Promise<Evidence>;
  /** Keeps the newest `keep` and those in use; removes older ones. May run twice. */
  prune(keep: number, inUse: Release[]): Promise<Evidence>;
}

export interface TrafficPort {
  /** Shares 0–1 as the proxy itself has them now; null where nothing was ever set. */
  observe(): Promise<Weights | null>;
  /** Returns once the proxy serves this. Loses no request. */
  setWeights(weights: Weights): Promise<void>;
  /** Requests in flight to the slot, as the proxy or the machine it runs on counts them; never less than there are. */
  inFlight(slot: Slot): Promise<number>;
  /** What the proxy measured of these slots together between two moments, ms since the epoch. */
  measure(slots: Slot[], from: number, to: number): Promise<TrafficMeasurement>;
  /** URL of the front door. */
  front(): string;
  /** What the proxy's configuration lacks, in sentences with what to paste; empty when it is ready. Changes nothing. */
  missing(): Promise<string[]>;
  /** What a person should know before a deploy: what a switch of this proxy costs, in sentences. Changes nothing. */
  notices(): Promise<string[]>;
}

export interface DatabasePort {
  /** Dumps, restores into a scratch database, compares, records digest and size. */
  backUp(input: {
    url: string;
    scratchUrl: string | null;
    folder: string;
    key: string;
    signal: AbortSignal;
  }): Promise<Evidence>;
}

export interface MigrationsPort {
  /** Changes nothing, not even a history table. `url` is the database's, `env` the other secrets. */
  observe(host: Inside, tool: MigrationTool, url: string, env: Record<string, string>): Promise<MigrationState>;
  /** argv that applies everything pending. */
  up(tool: MigrationTool): string[];
  /** argv that takes the newest applied revision back; null where the tool has no way down. */
  down(tool: MigrationTool): string[] | null;
  /** Environment for the tool's commands: where it looks for the URL, the session's name, lock and statement timeouts. */
  env(url: string, sessionName: string): Record<string, string>;
}

export interface ChecksPort {
  probe(address: string, probe: Probe, signal: AbortSignal): Promise<Evidence>;
  smoke(address: string, test: SmokeTest, signal: AbortSignal): Promise<Evidence>;
}

export type { InstanceState, MigrationState };

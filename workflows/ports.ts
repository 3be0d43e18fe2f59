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
import type { ActionOf, InstanceSpec, MigrationTool } from './runbook/actions.ts';
import type { Probe, SmokeTest, TrafficMeasurement, Verdict } from './runbook/checks.ts';
import type { InstanceState, MigrationState } from './runbook/observed.ts';
import type { Plan, Slot, Target } from './runbook/plan.ts';
import type { Runbook } from './runbook/schema.ts';

/** Who writes: goes with every call that changes something, and is left as a marker at the target. */
export interface Writer {
  /** Grows with every deploy of this service and environment; the target refuses writers with a smaller one. */
  fence: number;
  /** `<workflowId>|<fence>|<plan digest>|<step id>|<try>`: the same for every attempt of the same try of a step. */
  key: string;
  /** Workflow id of the deploy, for messages. */
  deploy: string;
}

/** Facts worth reading later, shown in the run's history and in the report: small, flat, no secrets. */
export type Evidence = Record<string, string | number | boolean | null>;

export interface PlanRequest {
  runbook: Runbook;
  environment: string;
  /** Absolute folder of the runbook; relative paths in it start here. */
  folder: string;
  /** For a rollback null: the plan finds the release to go back to. */
  version: string | null;
  intent: 'deploy' | 'rollback';
}

export interface DeployActivities {
  /** Observes the target, then plans. Changes nothing. Fails non-retryably with `PlanRefused`, `UnknownRelease`, … */
  makePlan(request: PlanRequest): Promise<Plan>;

  claimTarget(input: { target: Target; writer: Writer }): Promise<Evidence>;
  checkRelease(input: ActionOf<'check-release'> & { target: Target }): Promise<Evidence>;
  runCommand(input: ActionOf<'run'> & { target: Target; writer: Writer }): Promise<Evidence>;
  callHttp(input: ActionOf<'http'> & { target: Target }): Promise<Evidence>;
  backUp(input: ActionOf<'backup'> & { target: Target; writer: Writer }): Promise<Evidence>;
  migrateUp(input: ActionOf<'migrate-up'> & { target: Target; writer: Writer }): Promise<Evidence>;
  migrateDown(input: ActionOf<'migrate-down'> & { target: Target; writer: Writer }): Promise<Evidence>;
  startInstance(input: ActionOf<'start'> & { target: Target; writer: Writer }): Promise<Evidence>;
  probeInstance(input: ActionOf<'probe'> & { target: Target }): Promise<Evidence>;
  smokeTest(input: ActionOf<'smoke'> & { target: Target }): Promise<Evidence>;
  shiftTraffic(input: ActionOf<'shift'> & { target: Target; writer: Writer }): Promise<Evidence>;
  /** `since`: start of the window, ms since the epoch, fixed by the workflow so that a retry measures the same. */
  watchTraffic(input: ActionOf<'watch'> & { target: Target; since: number }): Promise<Verdict>;
  /** Returns once the proxy reports no request in flight to the slot, several looks in a row. */
  drainInstance(input: { slot: Slot; drainMs: number; target: Target; writer: Writer }): Promise<Evidence>;
  stopInstance(input: { slot: Slot; graceMs: number; target: Target; writer: Writer }): Promise<Evidence>;
  recordRelease(input: ActionOf<'confirm'> & { target: Target; writer: Writer }): Promise<Evidence>;
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

/** A connection to a machine. Paths are absolute there. */
export interface HostPort {
  /** Runs argv to its end; the group is killed when `signal` aborts. A non-zero exit is a result, not an error. */
  exec(
    command: string[],
    options: { cwd?: string; env?: Record<string, string>; signal?: AbortSignal },
  ): Promise<CommandResult>;
  /** null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** Whole or not at all (temporary file and rename), mode 0600 unless given; makes the folders. */
  write(path: string, content: string, mode?: number): Promise<void>;
  /** No error where it is gone already. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted; empty where there is none. */
  list(path: string): Promise<string[]>;
}

export interface InstancesPort {
  /** What is in the slot, null where nothing ever was or all is removed. */
  observe(slot: Slot): Promise<InstanceState | null>;
  /** Starts it unless exactly this release already runs in the slot. Never starts it twice. Refuses a slot in which another release runs. */
  ensureRunning(slot: Slot, spec: InstanceSpec, env: Record<string, string>): Promise<Evidence>;
  /** SIGTERM, `graceMs`, SIGKILL of the whole group; removed afterwards. */
  ensureStopped(slot: Slot, graceMs: number): Promise<Evidence>;
  /** The last lines of what it printed, for errors. */
  tail(slot: Slot): Promise<string>;
  /** Where it can be reached directly. */
  address(slot: Slot): string;
}

export interface TrafficPort {
  /** Shares 0–1 as the proxy itself has them now; null where nothing is configured yet. */
  observe(): Promise<Record<Slot, number> | null>;
  /** Returns once the proxy serves this. Loses no request. */
  setWeights(weights: Record<Slot, number>): Promise<void>;
  /** Requests in flight to the slot by the proxy's own count. */
  inFlight(slot: Slot): Promise<number>;
  /** What the proxy measured of the slot between two moments, ms since the epoch. */
  measure(slot: Slot, from: number, to: number): Promise<TrafficMeasurement>;
  /** URL of the front door. */
  front(): string;
  /** What the proxy's configuration lacks, in sentences with what to paste; empty when it is ready. */
  missing(): Promise<string[]>;
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
  observe(host: HostPort, tool: MigrationTool, url: string, env: Record<string, string>): Promise<MigrationState>;
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

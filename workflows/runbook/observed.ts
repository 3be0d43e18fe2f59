import type { HostName, Release, Slot, Weights } from './plan.ts';

/** What is in a slot. `running` false: it was started once and has died since. */
export interface InstanceState {
  release: string;
  /** Of a container: the image it runs, pinned. */
  image?: string;
  port: number;
  running: boolean;
  /** It ran there before Holdpoint did. */
  foreign?: true;
}

export interface MigrationState {
  applied: string[];
  pending: string[];
  /** Every pending revision has a way down. */
  reversible: boolean;
}

/** The release that was confirmed last, as the marker at the target says. */
export interface ReleaseRecord {
  /** `weights`: how the traffic was shared when it was confirmed. */
  confirmed: { release: Release; weights: Weights };
  /** What served before it; null after a rollback, so that nobody goes back to what was just left. */
  previous: Release | null;
}

/** A target as it is now: the truth that planning starts from. */
export interface Observed {
  /** Versions that exist, newest name last. */
  releases: string[];
  /** The version that was asked for, pinned; null where there is none. */
  release: Release | null;
  /** What the product wants a person to know before saying yes: what a setting of theirs costs. */
  notices: string[];
  slots: Record<Slot, InstanceState | null>;
  /** Shares as the proxy has them; null without a proxy, or while it was never set. */
  weights: Weights | null;
  record: ReleaseRecord | null;
  /** A deploy has taken this target before, confirmed or not. */
  claimed: boolean;
  /** null: the runbook migrates nothing. */
  migrations: MigrationState | null;
  /** What the proxy's configuration lacks, in sentences. */
  trafficMissing: string[];
  /** Machines of a fleet that do not answer, and why; nothing else in here is about them. */
  unreachable: Record<HostName, string>;
}

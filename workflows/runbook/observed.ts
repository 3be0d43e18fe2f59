import type { Release, Slot } from './plan.ts';

/** What is in a slot. `running` false: it was started once and has died since. */
export interface InstanceState {
  release: string;
  port: number;
  running: boolean;
}

export interface MigrationState {
  applied: string[];
  pending: string[];
  /** Every pending revision has a way down. */
  reversible: boolean;
}

/** The release that was confirmed last, as the marker at the target says. */
export interface ReleaseRecord {
  confirmed: { release: Release; slot: Slot };
  /** What served before it; null after a rollback, so that nobody goes back to what was just left. */
  previous: Release | null;
}

/** The targets as they are now: the truth that planning starts from. */
export interface Observed {
  /** Versions that exist, newest name last. */
  releases: string[];
  slots: Record<Slot, InstanceState | null>;
  /** Shares as the proxy has them; null without a proxy, or while it was never set. */
  weights: Record<Slot, number> | null;
  record: ReleaseRecord | null;
  /** null: the runbook migrates nothing. */
  migrations: MigrationState | null;
  /** What the proxy's configuration lacks, in sentences. */
  trafficMissing: string[];
}

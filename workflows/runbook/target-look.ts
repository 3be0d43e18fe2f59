import type { HostName, Slot } from './plan.ts';

/** What runs at a target now. */
export interface TargetLook {
  target: string;
  /** Version; null: none was ever confirmed. */
  confirmed: string | null;
  /** Of the machines that answer, in the target's order. */
  slots: SlotLook[];
  /** Machines that do not, and why. */
  silent: Record<HostName, string>;
}

export interface SlotLook {
  slot: Slot;
  /** null: the target is one machine. */
  host: HostName | null;
  /** Version; null: nothing is there. */
  release: string | null;
  running: boolean;
  /** Of the traffic, 0–1; null where no proxy shares it out. */
  share: number | null;
}

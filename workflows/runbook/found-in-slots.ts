/** What was found in slots. */
import type { Observed } from './observed.ts';
import type { Release, Slot } from './plan.ts';

/** Those of `slots` that hold something, by the version that they hold, in the order of the slots. */
export function byVersion({ slots: found }: Observed, slots: Slot[]): [string, Slot[]][] {
  const groups = new Map<string, Slot[]>();
  for (const slot of slots) {
    const version = found[slot]?.release;
    if (version !== undefined) groups.set(version, [...(groups.get(version) ?? []), slot]);
  }
  return [...groups];
}

export function runsRelease({ slots: found }: Observed, slot: Slot, { version }: Release): boolean {
  return found[slot]?.running === true && found[slot].release === version;
}

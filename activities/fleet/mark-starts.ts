import type { Writer } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { markStart } from '../receipt/starts.ts';
import { placedAt, type Site } from '../site.ts';
import { inParallel } from './each-machine.ts';

/**
 * For the receipt: what each of `slots` serves from here on. On its own machine, so that nobody else has to answer. May
 * run twice.
 */
export async function markStarts(site: Site, slots: Slot[], { fence }: Writer, version: string): Promise<void> {
  await inParallel(slots, async (slot) => {
    const { host, target } = placedAt(site, slot);
    // A machine that does not answer is told by the start itself.
    await markStart(host, target.folder, fence, { slot, version, at: Date.now() }).catch(() => {});
  });
}

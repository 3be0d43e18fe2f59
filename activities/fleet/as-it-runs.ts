import type { Release, Slot } from '../../workflows/runbook/plan.ts';
import { placedAt, type Site } from '../site.ts';
import { isAbsence } from './absence.ts';

/**
 * The release with the image that the first of `slots` that answers runs: the tag of an image that a deploy has built
 * may mean another one tomorrow. Throws where nobody answers. Changes nothing.
 */
export async function asItRuns(site: Site, slots: Slot[], release: Release): Promise<Release> {
  if (release.image === undefined) return release;
  let failure: unknown;
  for (const slot of slots) {
    const { instances, side } = placedAt(site, slot);
    try {
      const there = await instances.observe(side);
      return there?.image ? { ...release, image: there.image } : release;
    } catch (error) {
      if (!isAbsence(error)) throw error;
      // Any other that serves runs the same.
      failure = error;
    }
  }
  throw failure;
}

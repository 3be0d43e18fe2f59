import type { Release, Slot } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { type PlanInput, serving, slotsOf } from './planning.ts';
import { describeUnfinished } from './unfinished.ts';

export interface Goal {
  release: Release;
  /** Where it will serve. */
  slots: Slot[];
  /** What is left behind. */
  leave: string;
  /** What the record names as the version before. */
  previous: Release | null;
}

/** Traffic elsewhere, the wrong version in a slot, a confirmed instance gone, or a candidate that nobody confirmed. */
export function isUnfinished(input: PlanInput): boolean {
  const { record, slots } = input.observed;
  if (!record) return false;
  const gone = serving(record.confirmed.weights).some((slot) => !slots[slot]);
  return describeUnfinished(input) !== null || candidateOf(input) !== null || gone;
}

/** What runs where the confirmed version does not, and is not the one before it. */
function candidateOf({ observed, target }: PlanInput): string | null {
  const { record, slots } = observed;
  if (!record) return null;
  const live = serving(record.confirmed.weights);
  const left = slotsOf(target).flatMap((slot) => (live.includes(slot) ? [] : (slots[slot]?.release ?? [])));
  const known = [record.confirmed.release.version, record.previous?.version];
  return left.find((release) => !known.includes(release)) ?? null;
}

/** Throws PlanRefused where there is nothing to return to, or it is gone. */
export function chooseGoal(input: PlanInput): Goal {
  const { observed, runbook, target, strategy } = input;
  const { record, slots } = observed;
  if (!record) throw new PlanRefused('NothingToReturnTo', `no version of ${runbook.service} was ever confirmed here`);
  const { confirmed, previous } = record;
  const live = serving(confirmed.weights);
  if (isUnfinished(input)) {
    const wrong = live.map((slot) => slots[slot]?.release).find((release) => release !== confirmed.release.version);
    const leave = candidateOf(input) ?? wrong ?? slots[live[0]!]?.release ?? 'nothing';
    return { release: confirmed.release, slots: live, leave, previous };
  }
  if (!previous) {
    throw new PlanRefused(
      'NothingToReturnTo',
      `${confirmed.release.version} is live and nothing is recorded before it. ` +
        'To go to another version: holdpoint deploy --version VERSION',
    );
  }
  const idle = slotsOf(target).find((slot) => !live.includes(slot));
  const alive = idle !== undefined && slots[idle]?.running && slots[idle].release === previous.version;
  if (!alive && !previous.image && !observed.releases.includes(previous.version)) {
    const exists = observed.releases.join(', ');
    throw new PlanRefused(
      'UnknownRelease',
      `${previous.version} was live before, but its release is gone; there is ${exists}`,
    );
  }
  const inPlace = live.length > 1 || strategy === 'recreate' || idle === undefined;
  // Nobody goes back to what was just left.
  return { release: previous, slots: inPlace ? live : [idle], leave: confirmed.release.version, previous: null };
}

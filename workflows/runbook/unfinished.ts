import { placesOf, slotsOf } from './places.ts';
import { PlanRefused } from './plan-refused.ts';
import { type PlanInput, serving } from './planning.ts';

/** What runs must be where the environment says, or going back would switch traffic to nothing. */
export function refuseUnknownTarget({ observed, target, environment }: PlanInput): void {
  const { slots, record, weights } = observed;
  for (const { slot, port } of placesOf(target)) {
    const there = slots[slot];
    if (!there?.running || there.port === port) continue;
    throw new PlanRefused(
      'PortsMoved',
      `${there.release} runs in ${slot} on port ${there.port}, but environment ${environment} says ${port}. ` +
        'Put the port back; to change it, deploy to a target of another name.',
    );
  }
  const gone = record && serving(record.confirmed.weights).filter((slot) => !slotsOf(target).includes(slot));
  if (gone && gone.length > 0) {
    throw new PlanRefused(
      'SlotsMoved',
      `${record.confirmed.release.version} was confirmed in ${gone.join(', ')}, which environment ${environment} no longer ` +
        'has: put it back under `ports`; to change the slots, deploy to a target of another name.',
    );
  }
  if (record || !weights || observed.claimed) return;
  const empty = serving(weights).filter((slot) => !slots[slot]);
  if (empty.length === 0) return;
  throw new PlanRefused(
    'MarkersLost',
    `traffic goes to ${empty.join(', ')}, and nothing in ${target.folder} says what runs there. Put the folder back where ` +
      'it was; if nothing runs there, take the traffic away.',
  );
}

/** What an earlier deploy that was ended from outside left half done; null when nothing. */
export function describeUnfinished({ observed, target }: PlanInput): string | null {
  const { record, weights, slots } = observed;
  if (!record) return null;
  const { release, weights: confirmed } = record.confirmed;
  const live = serving(confirmed);
  const wrong = live.find((slot) => slots[slot] && slots[slot].release !== release.version);
  if (wrong) return `${wrong} runs ${slots[wrong]!.release}, but ${release.version} is what was confirmed there`;
  const shares = target.traffic ? (weights ?? {}) : confirmed;
  if (!sameShares(shares, confirmed)) {
    return `traffic is not where the confirmed version ${release.version} is (${live.join(', ')}): an earlier deploy did not finish`;
  }
  return null;
}

/** A proxy keeps shares as whole percents: a third is 0.33 or 0.34. */
function sameShares(one: Record<string, number>, other: Record<string, number>): boolean {
  const slots = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...slots].every((slot) => {
    const [share = 0, wanted = 0] = [one[slot], other[slot]];
    return share > 0 === wanted > 0 && Math.abs(share - wanted) < 0.02;
  });
}

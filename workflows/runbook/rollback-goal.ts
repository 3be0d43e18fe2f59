import { runsRelease } from './found-in-slots.ts';
import { mostSide, placeOf, slotsOf } from './places.ts';
import type { Release, Slot } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { eachMachine, names, type PlanInput, serving } from './planning.ts';
import { describeUnfinished } from './unfinished.ts';

export interface Goal {
  release: Release;
  /** Where it will serve. */
  slots: Slot[];
  /** What is left behind. */
  leave: string;
  /** Slots in which the version before stays, for an instant way back. */
  warm: Slot[];
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
    return { release: confirmed.release, slots: live, leave, previous, warm: [] };
  }
  if (!previous) {
    throw new PlanRefused(
      'NothingToReturnTo',
      `${confirmed.release.version} is live and nothing is recorded before it. ` +
        'To go to another version: holdpoint deploy --version VERSION',
    );
  }
  const idle = idleBeside(input, live);
  const each = idle.length === eachMachine(target).length;
  const alive = each && idle.every((slot) => runsRelease(observed, slot, previous));
  if (!alive && !previous.image && !observed.releases.includes(previous.version)) {
    const exists = observed.releases.join(', ');
    throw new PlanRefused(
      'UnknownRelease',
      `${previous.version} was live before, but its release is gone; there is ${exists}`,
    );
  }
  // A pool on one machine has more than one that serves: it goes back where it is.
  const inPlace = live.length > idle.length || !each || strategy === 'recreate' || strategy === 'reload';
  // Nobody goes back to what was just left.
  return {
    release: previous,
    slots: inPlace ? live : idle,
    leave: confirmed.release.version,
    previous: null,
    warm: [],
  };
}

/** A slot that does not serve on each machine that has one; where several do not, on the side of most others. */
function idleBeside({ target }: PlanInput, live: Slot[]): Slot[] {
  const free = eachMachine(target).map((own) => own.filter((slot) => !live.includes(slot)));
  const side = mostSide(
    target,
    free.flatMap((slots) => (slots.length === 1 ? slots : [])),
  );
  return free.flatMap((slots) => slots.find((slot) => placeOf(target, slot).side === side) ?? slots[0] ?? []);
}

/**
 * Where the confirmed release has to serve: also on machines that were left out. Null where all is as it was confirmed.
 * Throws PlanRefused where nothing ever was.
 */
export function chooseWhole(input: PlanInput): Goal | null {
  const { record, slots: found, weights } = input.observed;
  if (!record)
    throw new PlanRefused('NothingConfirmed', `no version of ${input.runbook.service} was ever confirmed here`);
  const { release } = record.confirmed;
  const slots = wholeSlots(input, serving(record.confirmed.weights));
  const wrong = slots.filter((slot) => {
    const share = input.target.traffic === null || (weights?.[slot] ?? 0) > 0;
    return !runsRelease(input.observed, slot, release) || !share;
  });
  const before = record.previous?.version;
  const isWarm = (slot: Slot) => before !== release.version && found[slot]?.release === before && found[slot] !== null;
  const well = eachMachine(input.target).filter((own) => !own.some((slot) => wrong.includes(slot)));
  const warm = well.flat().filter((slot) => !slots.includes(slot) && isWarm(slot));
  const leftovers = slotsOf(input.target).filter(
    (slot) => found[slot] && !slots.includes(slot) && !warm.includes(slot) && !isWarm(slot),
  );
  if (wrong.length === 0 && leftovers.length === 0) return null;
  return {
    release,
    slots,
    leave: `what is left on ${names([...wrong, ...leftovers])}`,
    previous: record.previous,
    warm,
  };
}

/** On a machine without the confirmed version it goes where most others have it. */
function wholeSlots({ target }: PlanInput, live: Slot[]): Slot[] {
  const most = mostSide(target, live);
  return eachMachine(target).flatMap((own) => {
    const here = own.filter((slot) => live.includes(slot));
    return here.length > 0 ? here : (own.find((slot) => placeOf(target, slot).side === most) ?? []);
  });
}

import { isFleet } from './places.ts';
import type { Release, WayBack } from './plan.ts';
import { names, type Situation } from './planning.ts';

/** Whether the whole plan can be taken back, and how: what is true of the target where it is hardest. */
export function wayBack(situations: Situation[]): WayBack {
  const all = situations.map(wayBackOf);
  const impossible = all.find(({ possible }) => !possible);
  return impossible ?? { possible: true, sentence: [...new Set(all.map(({ sentence }) => sentence))].join(' ') };
}

function wayBackOf(situation: Situation): WayBack {
  const { from, live, observed, runbook } = situation;
  if (!from || live.length === 0) {
    return { possible: false, sentence: 'First deploy: there is no earlier version to go back to.' };
  }
  const name = `${runbook.service} ${from.version}`;
  const where = names(live);
  const there = observed.releases.includes(from.version) || from.image !== undefined;
  const running = live.every((slot) => observed.slots[slot]?.running === true);
  if (!there && !running) {
    return { possible: false, sentence: `${name} does not run and its release is gone: there is no way back to it.` };
  }
  const how = returnInPlace(situation);
  if (how) {
    return there
      ? { possible: true, sentence: `Going back ${how.verb} ${name} in ${where} again, ${how.cost}.` }
      : { possible: false, sentence: `The release of ${name} is gone: once stopped it cannot come back.` };
  }
  if (!running)
    return { possible: true, sentence: `${name} does not run now: going back starts it in ${where} first.` };
  const later = there ? '' : ' Its release is gone, so after the confirmation there is no way back.';
  return {
    possible: true,
    sentence: `Going back is a traffic switch to ${name}, which stays alive in ${where}.${later}`,
  };
}

/** Null where the version before stays alive beside the new one. */
function returnInPlace({ strategy, target }: Situation): { verb: string; cost: string } | null {
  if (strategy === 'recreate') return { verb: 'starts', cost: 'with an outage' };
  if (strategy === 'reload') return { verb: 'reloads', cost: 'machine by machine' };
  const beside = isFleet(target) && target.traffic !== null && Object.keys(target.ports).length > 1;
  if (strategy !== 'rolling' || beside) return null;
  return { verb: 'starts', cost: target.traffic ? 'batch by batch while the others serve' : 'batch by batch' };
}

/** A branch that moved, or a tag that was pushed again, is another release of the same name. */
export function isSameRelease(one: Release, other: Release): boolean {
  return one.version === other.version && one.folder === other.folder && one.image === other.image;
}

/** What a person should know before saying yes. */
export function notices({ observed, runbook, from, release, strategy }: Situation): string[] {
  const said = [...observed.notices];
  if (observed.migrations?.pending.length && from && strategy !== 'recreate') {
    said.push(
      `The migrations may only expand: ${from.version} goes on working on the new schema until the confirmation.`,
    );
  }
  if (runbook.migrate && observed.migrations?.pending.length === 0) said.push('No migration is pending.');
  if (from && isSameRelease(from, release)) said.push(`${release.version} is already live: it is started anew.`);
  const { artifact } = runbook.prepare;
  if ('image' in artifact && artifact.build)
    said.push('The image is built by this deploy: its digest is not known yet.');
  return said;
}

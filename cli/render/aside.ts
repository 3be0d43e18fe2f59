import { isFleet } from '../../workflows/runbook/places.ts';
import type { Plan, SetAside, Target } from '../../workflows/runbook/plan.ts';
import { oneLine } from './text.ts';

/** Of a long list a person reads the first few; `--json` has them all. */
const shown = 5;

/** `1 machine`, `12 machines`. */
export const machines = (count: number): string => `${count} ${count === 1 ? 'machine' : 'machines'}`;

/** `1 machine set aside`; null where none is. */
export function countAside(aside: readonly SetAside[]): string | null {
  return aside.length === 0 ? null : `${machines(aside.length)} set aside`;
}

/** `web3 does not answer: …`: the machine, unless the reason begins with it, and why. With several targets also whose it is. */
export function describeAside({ target, host, why }: SetAside, several = false): string {
  const reason = oneLine(why);
  const named = reason.startsWith(`${host} `) || reason.startsWith(`${host}:`) ? reason : `${host}: ${reason}`;
  return several ? `${target}: ${named}` : named;
}

/** A line a machine, the first five, and how many more there are. */
export function asideLines(aside: readonly SetAside[]): string[] {
  const several = new Set(aside.map(({ target }) => target)).size > 1;
  const lines = aside.slice(0, shown).map((one) => describeAside(one, several));
  return aside.length > shown ? [...lines, `and ${aside.length - shown} more; --json has them all`] : lines;
}

/** `web1, web2 and 3 more`, for a sentence. */
export function hostNames(hosts: readonly string[]): string {
  if (hosts.length <= shown) return hosts.join(', ');
  return `${hosts.slice(0, shown).join(', ')} and ${hosts.length - shown} more`;
}

/** `web (12 machines), db`. */
export function describeTargets(targets: readonly Target[]): string {
  return targets.map((target) => `${target.name}${isFleet(target) ? ` (${machines(size(target))})` : ''}`).join(', ');
}

/** How many machines a deploy may go on without, a sentence a fleet. Going back leaves behind whom it cannot reach. */
export function toleratedLines({ targets, tolerated, intent }: Plan): string[] {
  if (intent !== 'deploy') return [];
  return targets.filter(isFleet).map((target) => {
    const most = tolerated[target.name] ?? 0;
    if (most === 0) return `every machine of ${target.name} has to be there to the confirmation`;
    return `goes on without at most ${most} of the ${machines(size(target))} of ${target.name}`;
  });
}

const size = ({ hosts }: Target): number => Object.keys(hosts).length;

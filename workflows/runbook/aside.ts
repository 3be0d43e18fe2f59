import { isFleet } from './places.ts';
import type { SetAside } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import type { PlanInput } from './planning.ts';

/** Machines that a plan is made without. */
export function asideOf({ target, observed }: PlanInput): SetAside[] {
  return Object.entries(observed.unreachable).map(([host, why]) => ({ target: target.name, host, why }));
}

/** How many machines of the fleet a deploy may go on without, those that do not answer now included. */
export function toleratedOf(input: PlanInput): number {
  const { unavailable } = input.runbook.rollout;
  const most = toleratedGoingBack(input);
  if (typeof unavailable === 'number') return Math.min(unavailable, most);
  return Math.min(Math.floor((Number.parseFloat(unavailable) / 100) * machinesOf(input)), most);
}

/** Going back leaves nobody behind whom it can reach, and waits for nobody whom it cannot. */
export const toleratedGoingBack = (input: PlanInput): number => Math.max(0, machinesOf(input) - 1);

/** Throws PlanRefused where more machines do not answer than the runbook wants to do without. */
export function refuseUnreachable(input: PlanInput, tolerated: number): void {
  const gone = Object.entries(input.observed.unreachable);
  if (gone.length <= tolerated || !isFleet(input.target)) return;
  const why = gone.slice(0, shown).map(([, reason]) => `  ${reason}`);
  const more = gone.length > shown ? [`  and ${gone.length - shown} more`] : [];
  throw new PlanRefused(
    'MachinesUnreachable',
    `${gone.length} of ${machinesOf(input)} machines of ${input.target.name} cannot be looked at, and the deploy may go on ` +
      `without ${tolerated} (rollout.unavailable):\n${[...why, ...more].join('\n')}`,
  );
}

const shown = 5;

/** `target` has only those that answer. */
const machinesOf = ({ target, observed }: PlanInput): number =>
  Object.keys(target.hosts).length + Object.keys(observed.unreachable).length;

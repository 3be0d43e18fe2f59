/** Which machines of a fleet a step is about, and what becomes of those that fail. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Across, Evidence } from '../ports.ts';
import { hostsOf, isFleet, onlyHosts, placesOf, weightsWithout } from '../runbook/places.ts';
import type { HostName, Slot, Target, Weights } from '../runbook/plan.ts';
import type { StepContext } from './step-context.ts';

/** Some slots, and the target with just their machines. */
export interface Present {
  slots: Slot[];
  target: Target;
}

/** Does it on every machine that takes part. */
export async function onMachines(context: StepContext, work: (target: Target) => Promise<Across>): Promise<Evidence> {
  const target = onlyHosts(context.target, presentHosts(context));
  return settle(await work(target), target, context);
}

/** Does it on the machine on which things are done once. Nobody does it instead: where it fails, the step fails. */
export async function atHome({ home }: StepContext, work: (target: Target) => Promise<Across>): Promise<Evidence> {
  const { evidence, failed } = await work(home);
  const gone = Object.entries(failed);
  if (gone.length > 0) throw failure(gone, 1);
  return evidence;
}

/** Does it in those of the slots whose machines take part; nowhere where all of them are set aside. */
export async function inSlots(
  slots: Slot[],
  context: StepContext,
  work: (present: Present) => Promise<Across>,
): Promise<Evidence> {
  const present = presentSlots(slots, context);
  if (present.slots.length === 0) return nobodyThere;
  return settle(await work(present), present.target, context);
}

/** Whether what is done once has nobody to do it. */
export function homeIsAside({ run, target }: StepContext): boolean {
  return target.home !== null && run.asideOf(target).has(target.home);
}

/** Of a step about machines of which none takes part any more. */
export const nobodyThere: Evidence = { machines: 0 };

/** The slots of machines that take part, and the target with just these machines. */
export function presentSlots(slots: Slot[], context: StepContext): Present {
  const { target } = context;
  if (!isFleet(target)) return { slots, target };
  const hosts = new Set(presentHosts(context));
  const left = placesOf(target).filter(({ slot, host }) => slots.includes(slot) && hosts.has(host!));
  const leftSlots = left.map(({ slot }) => slot);
  return { slots: leftSlots, target: onlyHosts(target, hostsOf(target, leftSlots)) };
}

/** Shares without the slots of machines that are set aside. Throws where nobody is left to serve. */
export function presentWeights(weights: Weights, context: StepContext): Weights {
  const { run, target } = context;
  const aside = run.asideOf(target);
  if (aside.size === 0) return weights;
  const gone = placesOf(target).filter(({ host }) => host !== null && aside.has(host));
  const left = weightsWithout(weights, new Set(gone.map(({ slot }) => slot)));
  if (!left) throw nobodyLeft(context);
  for (const host of aside.keys()) run.leaveOut(target, host);
  return left;
}

/**
 * Forward without those set aside. Going back asks everybody, since it owes it to everybody; but a machine on which one
 * undo has failed is left as it is, since the undos before it rely on that one.
 */
function presentHosts({ run, target, undoing }: StepContext): HostName[] {
  const aside = run.asideOf(target);
  return Object.keys(target.hosts).filter((host) => (undoing ? !run.isStuck(target, host) : !aside.has(host)));
}

/**
 * Machines that failed are set aside: forward as many as the plan tolerates, going back and after the confirmation as many
 * as there are, as long as one is left. Throws with what they failed with otherwise.
 */
function settle({ evidence, failed }: Across, asked: Target, context: StepContext): Evidence {
  const { run, target, undoing } = context;
  const done = Object.keys(asked.hosts).filter((host) => !(host in failed));
  // One that lost its share serves again through a shift that has probed it.
  if (undoing) for (const host of done) if (!run.isLeftOut(target, host)) run.takeBack(target, host);
  const gone = Object.entries(failed);
  if (gone.length === 0) return evidence;
  const inAll = new Set([...run.asideOf(target).keys(), ...Object.keys(failed)]).size;
  if (isTooMany(inAll, done.length, context)) throw failure(gone, Object.keys(asked.hosts).length);
  for (const [host, why] of gone) {
    run.setAside({ target: target.name, host, why });
    if (undoing) run.leaveStuck(target, host);
  }
  return { ...evidence, setAside: Object.keys(failed).join(', ') };
}

function isTooMany(inAll: number, done: number, { run, target, undoing }: StepContext): boolean {
  if (!undoing && !run.confirmed) return inAll > run.plan!.tolerated[target.name]!;
  return done === 0 && inAll === Object.keys(target.hosts).length;
}

function failure(gone: [HostName, string][], asked: number): ApplicationFailure {
  const said = gone.slice(0, shown).map(([host, why]) => (asked > 1 ? `${host}: ${why}` : why));
  const more = gone.length > shown ? [`and ${gone.length - shown} more machines`] : [];
  return ApplicationFailure.nonRetryable([...said, ...more].join('\n'), 'MachinesFailed');
}

const shown = 3;

function nobodyLeft({ target }: StepContext): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`no machine of ${target.name} is left to do this on`, 'MachinesFailed');
}

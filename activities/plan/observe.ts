import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ArtifactPort, HostPort } from '../../workflows/ports.ts';
import { migrationTool } from '../../workflows/runbook/headings.ts';
import type { InstanceState, MigrationState, Observed, ReleaseRecord } from '../../workflows/runbook/observed.ts';
import { placesOf, slotsOf, weightsWithout } from '../../workflows/runbook/places.ts';
import type { Release, Slot, Target, Weights } from '../../workflows/runbook/plan.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { inParallel } from '../fleet/each-machine.ts';
import { wasClaimed } from '../markers/fence.ts';
import { readRecord, type ReleaseRecord as StoredRecord } from '../markers/record.ts';
import { accessOf } from '../migrations/access.ts';
import { findMigrationsTool } from '../migrations/index.ts';
import type { Machine, Site } from '../site.ts';

export interface ObserveInput {
  runbook: Runbook;
  /** Where releases come from, as one machine sees it. */
  artifactAt(machine: Machine): ArtifactPort;
  /** null: a rollback; nothing is looked up, nothing is to be migrated. */
  version: string | null;
  migrates: boolean;
}

export interface Look {
  observed: Observed;
  /** The target with the machines that answer, its home among them. */
  target: Target;
}

/** What one machine says of itself. */
export interface Seen {
  machine: Machine;
  slots: [side: Slot, state: InstanceState | null][];
  record: StoredRecord | null;
  claimed: boolean;
  notices: string[];
}

/**
 * Reads the target as it is now. Changes nothing. Machines of a fleet that do not answer are told apart; throws where
 * none does, and what a target of one machine throws.
 */
export async function observe(site: Site, { runbook, artifactAt, version, migrates }: ObserveInput): Promise<Look> {
  const { seen, unreachable } = await lookAround(site);
  const target = answering(site.target, seen);
  const home = seen.find(({ machine }) => machine.name === target.home)!.machine;
  const artifact = artifactAt(home);
  const release = version === null ? null : await artifact.find(version);
  const record = recordAmong(seen, target);
  const { traffic } = site;
  const observed: Observed = {
    releases: await stillThere(home.host, record, await listed(artifact, version)),
    release,
    slots: statesBySlot(target, seen),
    weights: traffic && within(await traffic.observe(), target),
    record,
    claimed: seen.some(({ claimed }) => claimed),
    migrations: migrates && release ? await observeMigrations(site, home, runbook, artifact, release) : null,
    trafficMissing: traffic ? await traffic.missing() : [],
    notices: [...new Set([...seen.flatMap(({ notices }) => notices), ...(traffic ? await traffic.notices() : [])])],
    unreachable,
  };
  return { observed, target };
}

/** Every machine that answers, and why others do not. Throws where none does. */
export async function lookAround({ machines }: Site): Promise<{ seen: Seen[]; unreachable: Observed['unreachable'] }> {
  const found = new Map<Machine, Seen>();
  const unreachable: Observed['unreachable'] = {};
  let last: unknown;
  const look = async (machine: Machine) => {
    try {
      found.set(machine, await lookAt(machine));
      if (machine.name !== null) delete unreachable[machine.name];
    } catch (error) {
      // Whatever keeps one machine from being seen, the others can be deployed to, and brought back.
      if (machine.name === null || !(error instanceof ApplicationFailure)) throw error;
      unreachable[machine.name] = error.message;
      last = error;
    }
  };
  await inParallel(machines, look);
  // Of many handshakes at once one may be too slow: silence counts the second time.
  await inParallel(
    machines.filter(({ name }) => name !== null && name in unreachable),
    look,
  );
  if (found.size === 0) throw last;
  // In the fleet's order, whoever answered first: the same fleet gives the same plan.
  const inOrder = Object.entries(unreachable).sort(([one], [other]) => one.localeCompare(other));
  return { seen: machines.flatMap((machine) => found.get(machine) ?? []), unreachable: Object.fromEntries(inOrder) };
}

async function lookAt(machine: Machine): Promise<Seen> {
  const { host, instances, target } = machine;
  const sides = Object.keys(target.ports);
  const [record, claimed, notices, ...states] = await Promise.all([
    readRecord(host, target.folder),
    wasClaimed(host, target.folder),
    instances.notices(),
    ...sides.map((side) => instances.observe(side)),
  ]);
  return { machine, slots: sides.map((side, index) => [side, states[index]!]), record, claimed, notices };
}

function answering(target: Target, seen: Seen[]): Target {
  if (target.home === null) return target;
  const names = seen.map(({ machine }) => machine.name!);
  const hosts = Object.fromEntries(Object.entries(target.hosts).filter(([name]) => names.includes(name)));
  return { ...target, hosts, home: names.includes(target.home) ? target.home : names[0]! };
}

/** Null where nothing is, or the machine does not answer. */
export function statesBySlot(target: Target, seen: Seen[]): Observed['slots'] {
  const states = new Map(seen.map(({ machine, slots }) => [machine.name, new Map(slots)]));
  return Object.fromEntries(
    placesOf(target).map(({ slot, host, side }) => [slot, states.get(host)?.get(side) ?? null]),
  );
}

/** Each machine keeps the record: one that was away has an older one. */
export function newestRecord(seen: Seen[]): StoredRecord | null {
  const records = seen.flatMap(({ record }) => record ?? []);
  return records.toSorted((one, other) => other.fence - one.fence)[0] ?? null;
}

function recordAmong(seen: Seen[], target: Target): ReleaseRecord | null {
  const record = newestRecord(seen);
  if (!record) return null;
  // None of them is left: said by whoever plans. No shares would look like a first deploy.
  const weights = within(record.confirmed.weights, target) ?? record.confirmed.weights;
  return { confirmed: { ...record.confirmed, weights }, previous: record.previous };
}

/** Shares among the machines that answer. What a target of one machine has is left as it is. */
function within(weights: Weights | null, target: Target): Weights | null {
  if (weights === null || target.home === null) return weights;
  const known = new Set(slotsOf(target));
  return weightsWithout(weights, new Set(Object.keys(weights).filter((slot) => !known.has(slot))));
}

/** The way back needs what is kept at the target, and must not need where releases come from. */
async function listed(artifact: ArtifactPort, version: string | null): Promise<string[]> {
  return version === null ? await artifact.list().catch(() => []) : await artifact.list();
}

/** Those that exist, and what was deployed here and is kept, although nothing lists it: a branch's checkout. */
async function stillThere(host: HostPort, record: ReleaseRecord | null, listed: string[]): Promise<string[]> {
  const known = record ? [record.confirmed.release, ...(record.previous ? [record.previous] : [])] : [];
  const kept: string[] = [];
  for (const { version, folder, image } of known) {
    if (listed.includes(version) || image !== undefined) continue;
    if ((await host.list(folder)).length > 0) kept.push(version);
  }
  return [...kept, ...listed];
}

/** Asks the release's own tool, so the release has to be there; nothing that serves changes by that. */
async function observeMigrations(
  { secrets }: Site,
  { instances }: Machine,
  runbook: Runbook,
  artifact: ArtifactPort,
  release: Release,
): Promise<MigrationState> {
  await artifact.fetch(release, Context.current().cancellationSignal);
  const tool = migrationTool(runbook, release);
  const { url, env } = await accessOf(tool, secrets);
  return findMigrationsTool(tool.kind).observe(instances.inside(release), tool, url, env);
}

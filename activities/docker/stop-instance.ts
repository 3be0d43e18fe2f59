/** Empties a slot. */
import type { ContainerInspectInfo } from 'dockerode';
import type { Evidence } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { howItEnded, howItStopped } from './ended.ts';
import type { Engine } from './engine.ts';
import { adoptedName, type Containers, type Found, type Place, parkedName } from './find-containers.ts';
import { label } from './labels.ts';
import { tailOf } from './logs.ts';
import { removeForGood } from './remove.ts';
import { releaseOf } from './running-release.ts';

const tailLines = 5;

/**
 * The image's stop signal, `graceMs`, SIGKILL; removed afterwards. May run twice. Evidence: release, end, and where that
 * was not a clean one the last lines.
 */
export async function stopInstance(
  place: Place & { containers: Containers },
  slot: Slot,
  graceMs: number,
): Promise<Evidence> {
  const { engine, containers } = place;
  const found = await containers.inSlot(slot);
  if (!found) return { release: null, end: 'was gone' };
  const release = releaseOf(found.info, null);
  if (!found.ours) await rename(engine, found.info, adoptedName(place.owner, slot));
  const end = await stop(engine, containers, found.info, graceMs);
  if (await onlyItKnows(place, found, slot)) await park(place, found.info);
  else await removeForGood(engine, found.info.Id);
  return { release, ...end };
}

async function stop(engine: Engine, containers: Containers, info: ContainerInspectInfo, graceMs: number) {
  const { Id } = info;
  if (info.State.Status === 'created') return { end: 'was not started' };
  const seconds = { t: Math.ceil(graceMs / 1000) };
  await engine.ask('stop a container', (docker) => docker.getContainer(Id).stop(seconds), { 304: null, 404: null });
  const after = await containers.named(Id);
  if (!after) return { end: 'removed itself, as --rm says' };
  if (!info.State.Running) return { end: `had ended ${howItEnded(after)}`, ...(await said(engine, after)) };
  return { end: howItStopped(after, graceMs), ...(await said(engine, after)) };
}

async function said(engine: Engine, info: ContainerInspectInfo): Promise<Evidence> {
  if (info.State.ExitCode === 0) return {};
  const last = await tailOf(engine, info, tailLines);
  return last ? { last: last.slice(-500) } : {};
}

/** A new container takes its settings from one that is there: the last one is kept, stopped, until there is another. */
async function onlyItKnows(place: Place & { containers: Containers }, found: Found, slot: Slot): Promise<boolean> {
  if (found.info.HostConfig.AutoRemove || found.info.State.Status === 'created') return false;
  if (found.ours && !found.info.Config.Labels[label.model]) return false;
  const others = Object.keys(place.ports).filter((other) => other !== slot);
  const taken = await Promise.all(others.map((other) => place.containers.inSlot(other)));
  return taken.every((one) => one === null || one.info.State.Status === 'created');
}

async function park({ engine, containers, owner }: Place & { containers: Containers }, info: ContainerInspectInfo) {
  const before = await containers.named(parkedName(owner));
  if (before && before.Id !== info.Id) await removeForGood(engine, before.Id);
  // Even of an engine that starts again it stays stopped.
  const off = { RestartPolicy: { Name: 'no' } };
  await engine.ask('keep it stopped', (docker) => docker.getContainer(info.Id).update(off), { 404: null });
  await rename(engine, info, parkedName(owner));
}

async function rename(engine: Engine, { Id, Name }: ContainerInspectInfo, name: string): Promise<void> {
  if (Name === `/${name}`) return;
  await engine.ask(`rename a container to ${name}`, (docker) => docker.getContainer(Id).rename({ name }), {
    404: null,
  });
}

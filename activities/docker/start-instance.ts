/** Brings a release up in its slot, once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerInspectInfo, ImageInspectInfo } from 'dockerode';
import type { Evidence } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { type Created, type InstanceWish, instanceContainer, restartPolicy } from './container-spec.ts';
import { answerOf, isGone } from './failures.ts';
import { type Containers, type Found, imageOf, type Place, parkedName } from './find-containers.ts';
import { label, slotName } from './labels.ts';
import { joinAll } from './networks.ts';
import { removeForGood } from './remove.ts';
import { releaseOf } from './running-release.ts';
import { exited, imageMissing, nameTaken, slotTaken, startFailure } from './start-failures.ts';
import type { Model } from './take-over.ts';

/** What a start needs to know, before it has looked. */
export type Start = Place & { containers: Containers } & Pick<InstanceWish, 'slot' | 'spec' | 'env' | 'writer'>;

/** After it has looked. */
interface Work extends Start {
  image: ImageInspectInfo;
  model: Model | null;
}

/** One that ends within this has failed to start; whatever comes later is the probe's to see. */
const settleMs = 1_000;
/** How often an overlapping attempt may get in between. */
const mostLooks = 20;
const pauseMs = 100;

/**
 * Starts the release unless exactly it runs in the slot. May run twice, overlap, and die half way: the container's name
 * lets only one be made, and a container that was made but not started is finished by the next attempt.
 * Throws for good `SlotTaken`, `NameTaken`, `PortTaken`, `NoSuchCommand`, `InstanceExited`, `ImageMissing`, `Fenced`.
 */
export async function startInstance(start: Start): Promise<Evidence> {
  const { engine, containers, slot, spec } = start;
  const image = spec.release.image ? await imageOf(engine, spec.release.image) : null;
  if (!image) throw imageMissing(start);
  const work: Work = { ...start, image, model: await containers.model() };
  for (let look = 0; look < mostLooks; look++) {
    // While the engine makes a container its name is taken, but it is not seen yet.
    if (look > 0) await sleep(pauseMs);
    const found = await containers.inSlot(slot);
    if (found) assertMine(work, found);
    if (found && isUp(found)) return await kept(work, found, false);
    const wanted = instanceContainer(work);
    if (!(await finishable(work, found)) && !(await create(work, wanted))) continue;
    const info = await containers.named(slotName(work.owner, slot));
    // Another attempt may have got in between: it has to be the one that this step wants.
    if (info?.Config.Labels?.[label.key] !== work.writer.key) continue;
    const started = await run(work, info, wanted);
    if (started !== null) return await kept(work, { info, ours: true }, started);
  }
  throw notYet(
    'SlotContested',
    `${spec.service} ${spec.release.version} was not started in ${slot}: others keep making or removing its container ` +
      `at ${engine.url}.`,
  );
}

function isUp({ info: { State } }: Found): boolean {
  return State.Running && !State.Restarting;
}

/** Throws `Fenced` where a newer deploy made it, `SlotTaken` where another release runs. */
function assertMine(work: Work, found: Found): void {
  const { Config, Name } = found.info;
  if (Number(Config.Labels?.[label.fence] ?? 0) > work.writer.fence) {
    throw refuse('Fenced', `A newer deploy (${Config.Labels[label.deploy]}) has made ${Name.slice(1)}: it is left.`);
  }
  if (isUp(found) && !isSame(work, found)) throw slotTaken(work, found.info);
}

function isSame({ spec, image }: Work, { info }: Found): boolean {
  return info.Image === image.Id && releaseOf(info, image) === spec.release.version;
}

/** Whether a start of this very step has made it and not started it yet. Whatever else is left in the slot is removed. */
async function finishable({ engine, writer }: Work, found: Found | null): Promise<boolean> {
  if (!found?.ours) return false;
  const { State, Config, Id } = found.info;
  if (State.Status === 'created' && Config.Labels[label.key] === writer.key) return true;
  // Not by force, unless it restarts for ever: it may have been started by an overlapping attempt since.
  const options = { v: true, force: State.Restarting };
  const nothing = { 404: null, 409: null };
  await engine.ask('remove a container', (docker) => docker.getContainer(Id).remove(options), nothing);
  return false;
}

/** false where the name is taken by an overlapping attempt. Throws `NameTaken` where it is not ours. */
async function create(work: Work, { create }: Created): Promise<boolean> {
  const { engine, containers, slot } = work;
  const made = await engine.ask(`create ${create.name}`, (docker) => docker.createContainer(create), { 409: null });
  if (made) return true;
  const other = await containers.named(create.name!);
  if (other && !containers.isOurs(other, slot)) throw nameTaken(work, other);
  return false;
}

/** Whether this call started it; null where it is gone meanwhile. A start that cannot succeed leaves no container. */
async function run(work: Work, { Id }: ContainerInspectInfo, { alsoJoin }: Created): Promise<boolean | null> {
  const container = work.engine.docker.getContainer(Id);
  await joinAll(work.engine, Id, alsoJoin);
  try {
    await container.start();
    return true;
  } catch (error) {
    const answer = answerOf(error);
    if (answer?.statusCode === 304) return false;
    // 409: an overlapping attempt is removing it.
    if (isGone(answer) || answer?.statusCode === 409) return null;
    const failure = await startFailure(work, error);
    if (failure.nonRetryable) await container.remove({ v: true }).catch(() => {});
    throw failure;
  }
}

/** It stands: from now on Docker keeps it running. */
async function kept(work: Work, { info, ours }: Found, started: boolean): Promise<Evidence> {
  const { engine, containers, owner, spec, model, options } = work;
  const evidence = { release: spec.release.version, container: info.Name.slice(1), port: spec.port, started };
  if (!ours) return evidence;
  await settle(work, info);
  const policy = { RestartPolicy: restartPolicy(model, options) };
  await engine.ask('keep it running', (docker) => docker.getContainer(info.Id).update(policy));
  const parked = await containers.named(parkedName(owner));
  if (parked) await removeForGood(engine, parked.Id);
  return { ...evidence, image: spec.release.image ?? info.Image };
}

/** Throws `InstanceExited` with what it said. */
async function settle(work: Work, { Id }: ContainerInspectInfo): Promise<void> {
  for (const until = performance.now() + settleMs; ; await sleep(100)) {
    const info = await work.containers.named(Id);
    if (!info) throw notYet('SlotEmptied', `${work.slot} was emptied while ${work.spec.release.version} started.`);
    if (!info.State.Running) throw await exited(work, info);
    const age = Date.now() - Date.parse(info.State.StartedAt);
    if (age >= settleMs || performance.now() >= until) return;
  }
}

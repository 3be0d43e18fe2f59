/** Brings a release up in its slot, once, beside whatever runs in the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/activity';
import type { Evidence, Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { howItEnded } from '../docker/ended.ts';
import { label } from '../docker/labels.ts';
import { tailOf } from '../docker/logs.ts';
import { releaseOf } from '../docker/running-release.ts';
import { notYet, refuse } from '../failures.ts';
import { adopt } from './adopt.ts';
import { type ChosenFile, chooseFile } from './choose-file.ts';
import { type Container, isRelease, isUp, lookAt } from './containers.ts';
import { missingSecrets, secretsFor } from './release-file.ts';
import type { ComposeSite } from './site.ts';

export interface Start {
  site: ComposeSite;
  slot: Slot;
  spec: InstanceSpec;
  env: Record<string, string>;
  writer: Writer;
}

/** One that ends within this has failed to start; whatever comes later is the probe's to see. */
const settleMs = 1_000;
/** How long an overlapping attempt may take from the port to a container that runs, on a machine that is busy. */
const overlapMs = 3_000;
const tailLines = 20;

/**
 * Starts the release unless exactly it runs in the slot. May run twice, overlap, and die half way: the slot's port lets
 * only one run, and what an attempt left behind is started or removed by the next. Throws for good `Fenced`,
 * `SlotTaken`, `PortTaken`, `WrongPort`, `SecretGone`, `InstanceExited`, and what reading the project throws.
 */
export async function startRelease(start: Start): Promise<Evidence> {
  const { site, slot, spec } = start;
  const found = await containersOf(start);
  for (const one of found) await assertMine(start, one);
  const running = found.find(isUp);
  if (running) return await settled(start, running, { started: false });
  await adopt(site);
  const ended = await firstOf(
    start,
    found.filter(({ State }) => State.Status === 'exited'),
  );
  for (const one of found) if (one !== ended) await remove(site, one);
  // Started by an overlapping attempt since.
  if ((await containersOf(start)).some(isUp)) return await startRelease(start);
  if (ended) {
    const { Id } = ended;
    await site.engine.ask('start a container', (docker) => docker.getContainer(Id).start(), { 304: null });
    return await settled(start, ended, { started: true });
  }
  const file = await chooseFile(start);
  await up(start, file);
  const made = await madeBy(start);
  if (made) return await settled(start, made, { started: true, settings: file.from });
  throw notYet(
    'NotStarted',
    `Compose started ${spec.service}, yet no container of it publishes ${spec.port} (${slot}).`,
  );
}

/** The one that runs, else one that has ended. One that was never started is an overlapping attempt's, or nobody's. */
async function madeBy(start: Start): Promise<Container | null> {
  const there = await containersOf(start);
  const ended = there.filter(({ State }) => State.Status !== 'created');
  return (await firstOf(start, there.filter(isUp))) ?? (await firstOf(start, ended));
}

/** Not by force, unless it is started again and again: it may have been started by an overlapping attempt since. */
async function remove({ engine }: ComposeSite, { Id, State }: Container): Promise<void> {
  const options = { v: true, force: State.Restarting };
  await engine.ask('remove a container', (docker) => docker.getContainer(Id).remove(options), { 404: null, 409: null });
}

async function containersOf({ site, slot }: Start): Promise<Container[]> {
  return await site.containers.inSlot((await site.project(slot)).name, slot);
}

/** Of these the one that is the release. */
async function firstOf({ site, spec }: Start, containers: Container[]): Promise<Container | null> {
  for (const one of containers) if (await isRelease(site.engine, one, spec.release)) return one;
  return null;
}

/** Throws `Fenced` where a newer deploy made it, `SlotTaken` where another release runs. */
async function assertMine({ site, slot, spec, writer }: Start, found: Container): Promise<void> {
  const name = found.Name.slice(1);
  const labels = found.Config.Labels ?? {};
  if (Number(labels[label.fence] ?? 0) > writer.fence) {
    throw refuse('Fenced', `A newer deploy (${labels[label.deploy]}) has made ${name}: it is left.`);
  }
  if (!isUp(found) || (await isRelease(site.engine, found, spec.release))) return;
  throw refuse(
    'SlotTaken',
    `${spec.service} ${spec.release.version} cannot start in ${slot} on port ${spec.port}: ` +
      `${releaseOf(found, null)} runs there as container ${name}. Stop that one first.`,
  );
}

async function up(start: Start, { project, path, file, build }: ChosenFile): Promise<void> {
  const { site, slot, spec, env } = start;
  const { service, projects } = site.options;
  const given = secretsFor(spec, env);
  const missing = missingSecrets(file, given);
  if (missing.length > 0) {
    throw refuse(
      'SecretGone',
      `${spec.service} ${spec.release.version} ran in ${slot} with the secrets ${missing.join(', ')}, which the runbook ` +
        `no longer names. Name them under \`secrets\`, or remove ${path}: it then starts as the project is now.`,
    );
  }
  await site.stored.write(slot, spec.release.version, file);
  const made = { ...project, files: [path] };
  if (build) await site.cli.run(made, ['build', service], given);
  // A number that leaves all others as they are: fewer would let Compose choose one to remove.
  const others = (await site.containers.all(project.name)).length;
  // What is in a project of its own is started where it is missing; what another version uses has to run already.
  const alone = projects ? [] : ['--no-deps'];
  const scale = ['--scale', `${service}=${others + 1}`];
  const words = ['up', '--detach', ...alone, '--no-recreate', '--no-build', '--pull', 'missing', ...scale, service];
  await site.cli.run(made, words, given).catch((error) => upFailed(start, error));
}

/** No failure where an overlapping attempt has started it: the engine gives it the port before it shows it running. */
async function upFailed(start: Start, error: ApplicationFailure): Promise<void> {
  const { slot, spec } = start;
  for (const until = performance.now() + overlapMs; ; await sleep(100)) {
    const running = (await containersOf(start)).filter(isUp);
    if (await firstOf(start, running)) return;
    if (performance.now() > until) break;
  }
  if (!/port is already allocated|address already in use/.test(error.message)) throw error;
  throw refuse(
    'PortTaken',
    `${spec.service} ${spec.release.version} cannot start in ${slot}: port ${spec.port} is taken by something outside of ` +
      `its Compose project. Stop that, or give ${slot} another port.`,
  );
}

/** Throws `InstanceExited` with what it said, or `SlotEmptied`. */
async function settled(start: Start, { Id }: Container, more: { started: boolean; settings?: string }) {
  const { site, slot, spec } = start;
  for (const until = performance.now() + settleMs; ; await sleep(100)) {
    const info = await lookAt(site.engine, Id);
    if (!info) throw notYet('SlotEmptied', `${slot} was emptied while ${spec.release.version} started.`);
    // One that ends is started again and again where the project says so.
    if (!isUp(info) || (more.started && info.RestartCount > 0)) throw await exited(start, info);
    if (Date.now() - Date.parse(info.State.StartedAt) < settleMs && performance.now() < until) continue;
    return {
      release: spec.release.version,
      container: info.Name.slice(1),
      image: spec.release.image ?? info.Image,
      port: spec.port,
      ...more,
    };
  }
}

async function exited({ site, slot, spec }: Start, info: Container): Promise<ApplicationFailure> {
  const printed = await tailOf(site.engine, info, tailLines);
  const what = `${spec.service} ${spec.release.version} ended at once in ${slot}, ${howItEnded(info)}`;
  return refuse(
    'InstanceExited',
    printed ? `${what}. The last it printed:\n${printed}` : `${what}, and printed nothing.`,
  );
}

/**
 * Instances that are containers of one service of a Docker Compose project: beside each other in the project that runs
 * already, told apart by the port that each publishes, or one each in a project a slot. No other service is touched.
 */
import type { InstanceState, InstancesPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { containerJobs } from '../docker/container-jobs.ts';
import { dockerOptions } from '../docker/docker-options.ts';
import { type Containers, imageOf, type Place } from '../docker/find-containers.ts';
import { healthOf } from '../docker/health.ts';
import { insideImage } from '../docker/inside-image.ts';
import { linesOf, tailOf } from '../docker/logs.ts';
import { pinnedImage, releaseOf } from '../docker/running-release.ts';
import type { InstancesContext } from '../instances/context.ts';
import type { ProductKind } from '../product-kind.ts';
import { type Container, isOurs, isUp, lookAt } from './containers.ts';
import { notices } from './notices.ts';
import { composeOptions } from './options.ts';
import { type ComposeSite, composeSite } from './site.ts';
import { startRelease } from './start-release.ts';
import { stopRelease } from './stop-release.ts';

const tailLines = 20;

export const composeInstances: ProductKind<InstancesPort, InstancesContext> = {
  options: composeOptions,
  create: (context, given) =>
    createComposeInstances(context, composeSite(context.target, context.host, composeOptions.parse(given))),
};

function createComposeInstances({ host, mask, target }: InstancesContext, site: ComposeSite): InstancesPort {
  const { engine, owner } = site;
  const containers = containersOf(site);
  const place: Place = { engine, owner, ports: target.ports, options: dockerOptions.parse({}) };
  return {
    observe: (slot) => observe(site, slot),
    ensureRunning: (slot, spec, env, writer) => startRelease({ site, slot, spec, env, writer }),
    ensureStopped: (slot, graceMs) => stopRelease(site, slot, graceMs),
    async tail(slot) {
      const found = await newest(site, slot);
      return found ? await tailOf(engine, found, tailLines) : '';
    },
    address: (slot) => `http://${engine.host}:${target.ports[slot]}`,
    health: (slot) => healthOf(engine, containers, slot),
    async logs(slot, from, to) {
      const found = await newest(site, slot);
      return found ? await linesOf(engine, found, from, to) : [];
    },
    jobs: containerJobs({ ...place, containers, host, mask }),
    inside: (release) => insideImage({ ...place, containers }, release),
    notices: () => notices(site),
  };
}

async function observe(site: ComposeSite, slot: Slot): Promise<InstanceState | null> {
  const found = await newest(site, slot);
  // Made, but never started: the slot is as empty as before.
  if (!found || found.State.Status === 'created') return null;
  const image = await imageOf(site.engine, found.Image);
  const state = { release: releaseOf(found, image), image: pinnedImage(found, image) };
  const there = { ...state, port: site.target.ports[slot]!, running: isUp(found) };
  return isOurs(found) ? there : { ...there, foreign: true };
}

/** The one that runs, else the newest; null where the slot is empty. */
async function newest(site: ComposeSite, slot: Slot): Promise<Container | null> {
  const found = await site.containers.inSlot((await site.project(slot)).name, slot);
  return found.find(isUp) ?? found[0] ?? null;
}

/** For commands beside the instances: they get the networks, mounts and settings of the one that serves. */
function containersOf(site: ComposeSite): Containers {
  const slots = Object.keys(site.target.ports);
  return {
    async inSlot(slot) {
      const info = await newest(site, slot);
      return info && { info, ours: isOurs(info) };
    },
    named: (name) => lookAt(site.engine, name),
    async model() {
      const found = (await Promise.all(slots.map((slot) => newest(site, slot)))).flatMap((one) => one ?? []);
      const info = found.find(isUp) ?? found[0];
      return info ? { info, image: await imageOf(site.engine, info.Image) } : null;
    },
    isOurs,
  };
}

/** Instances that are containers of a Docker engine, one a slot, beside each other. The engine keeps them. */
import type { InstanceState, InstancesPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { InstancesContext } from '../instances/context.ts';
import type { ProductKind } from '../product-kind.ts';
import { containerJobs } from './container-jobs.ts';
import { dockerOptions } from './docker-options.ts';
import { createEngine } from './engine.ts';
import { type Containers, createContainers, imageOf, type Place } from './find-containers.ts';
import { healthOf } from './health.ts';
import { insideImage } from './inside-image.ts';
import { ownerOf } from './labels.ts';
import { linesOf, tailOf } from './logs.ts';
import { noticesFor } from './notices.ts';
import { pinnedImage, releaseOf } from './running-release.ts';
import { startInstance } from './start-instance.ts';
import { stopInstance } from './stop-instance.ts';

const tailLines = 20;

export const dockerInstances: ProductKind<InstancesPort, InstancesContext> = {
  options: dockerOptions,
  create(context, given) {
    const { target, host, address } = context;
    const options = dockerOptions.parse(given);
    const engine = createEngine(options, target.host.kind === 'local' ? null : { host, address });
    return createDockerInstances({ engine, owner: ownerOf(target), ports: target.ports, options }, context);
  },
};

function createDockerInstances(place: Place, { host, mask }: InstancesContext): InstancesPort {
  const { engine, ports, options } = place;
  const containers = createContainers(place);
  const withContainers = { ...place, containers };
  return {
    observe: (slot) => observe(place, containers, slot),
    ensureRunning: (slot, spec, env, writer) => startInstance({ ...withContainers, slot, spec, env, writer }),
    ensureStopped: (slot, graceMs) => stopInstance(withContainers, slot, graceMs),
    async tail(slot) {
      const found = await containers.inSlot(slot);
      return found ? await tailOf(engine, found.info, tailLines) : '';
    },
    address: (slot) => `http://${reachable(options.publish, engine.host)}:${ports[slot]}`,
    health: (slot) => healthOf(engine, containers, slot),
    async logs(slot, from, to) {
      const found = await containers.inSlot(slot);
      return found ? await linesOf(engine, found.info, from, to) : [];
    },
    jobs: containerJobs({ ...withContainers, host, mask }),
    inside: (release) => insideImage(withContainers, release),
    notices: () => notices(place, containers),
  };
}

async function observe({ engine, ports }: Place, containers: Containers, slot: Slot): Promise<InstanceState | null> {
  const found = await containers.inSlot(slot);
  // Made, but never started: the slot is as empty as before.
  if (!found || found.info.State.Status === 'created') return null;
  const { info } = found;
  const image = await imageOf(engine, info.Image);
  const running = info.State.Running && !info.State.Restarting;
  const state = { release: releaseOf(info, image), image: pinnedImage(info, image), port: ports[slot]!, running };
  return found.ours ? state : { ...state, foreign: true };
}

async function notices(place: Place, containers: Containers): Promise<string[]> {
  const model = await containers.model();
  if (!model?.info.State.Running) return [];
  const slots = Object.keys(place.ports);
  const found = await Promise.all(slots.map((slot) => containers.inSlot(slot)));
  const at = found.findIndex((one) => one?.info.Id === model.info.Id && !one.ours);
  return noticesFor(model, slots[at] ?? null, place.ports, place.options);
}

function reachable(publish: string, host: string): string {
  if (publish === '0.0.0.0' || publish === '::') return host;
  return publish.includes(':') ? `[${publish}]` : publish;
}

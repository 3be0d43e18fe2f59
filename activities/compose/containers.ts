/** The containers of the one service that is deployed, told apart by the port that they publish. */
import type { Release, Slot } from '../../workflows/runbook/plan.ts';
import type { Engine } from '../docker/engine.ts';
import { type Found, imageOf } from '../docker/find-containers.ts';
import { label } from '../docker/labels.ts';
import { releaseOf } from '../docker/running-release.ts';

export type Container = Found['info'];

export interface ServiceContainers {
  /** All of the service in this project, one-off ones left out, newest first. */
  all(project: string): Promise<Container[]>;
  /** Those of a slot: one, unless a start was cut off. Newest first. */
  inSlot(project: string, slot: Slot): Promise<Container[]>;
}

interface Deps {
  engine: Engine;
  service: string;
  ports: Record<Slot, number>;
  /** Whether each slot has a project to itself, so that whatever is in it is the slot's. */
  ownProjects: boolean;
}

export function createServiceContainers({ engine, service, ports, ownProjects }: Deps): ServiceContainers {
  async function all(project: string): Promise<Container[]> {
    const filters = {
      label: [
        `com.docker.compose.project=${project}`,
        `com.docker.compose.service=${service}`,
        'com.docker.compose.oneoff=False',
      ],
    };
    const listed = await engine.ask('list containers', (docker) => docker.listContainers({ all: true, filters }));
    const found = await Promise.all(listed.map(({ Id }) => lookAt(engine, Id)));
    return found.flatMap((one) => one ?? []).toSorted((a, b) => b.Created.localeCompare(a.Created));
  }
  return {
    all,
    async inSlot(project, slot) {
      const found = await all(project);
      return ownProjects ? found : found.filter((one) => publishedPorts(one).includes(ports[slot]!));
    },
  };
}

/** null where it is gone. */
export async function lookAt(engine: Engine, id: string): Promise<Container | null> {
  return await engine.ask('look at a container', (docker) => docker.getContainer(id).inspect(), { 404: null });
}

/** Docker calls one that ends again and again running, too. */
export function isUp({ State }: Container): boolean {
  return State.Running && !State.Restarting;
}

/** Holdpoint made it. */
export function isOurs({ Config }: Container): boolean {
  return Config.Labels?.[label.release] !== undefined;
}

/** It runs, or ran, this release: its version and, where that is an image, the very same one. */
export async function isRelease(engine: Engine, info: Container, { version, image }: Release): Promise<boolean> {
  const own = await imageOf(engine, info.Image);
  if (releaseOf(info, own) !== version) return false;
  const wanted = image === undefined ? null : await imageOf(engine, image);
  return wanted === null || wanted.Id === info.Image;
}

/** Also of one that does not run: then as it was asked for. */
export function publishedPorts({ HostConfig, NetworkSettings }: Container): number[] {
  const asked = (HostConfig.PortBindings ?? {}) as Bindings;
  const bound = (NetworkSettings.Ports ?? {}) as Bindings;
  const hosts = [...Object.values(asked), ...Object.values(bound)].flatMap((at) => at ?? []);
  return [...new Set(hosts.map(({ HostPort }) => Number(HostPort)).filter((port) => port > 0))];
}

type Bindings = Record<string, { HostPort: string }[] | null>;

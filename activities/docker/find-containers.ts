/** Finds a slot's container: by its name and labels, or, where Holdpoint made none yet, the one that serves there. */
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { DockerOptions } from './docker-options.ts';
import type { Engine } from './engine.ts';
import { label, type Owner, slotName } from './labels.ts';
import type { Model } from './take-over.ts';

export interface Found {
  info: ContainerInspectInfo;
  /** Holdpoint made it. */
  ours: boolean;
}

/** A slot's container that Holdpoint did not make is called so from the moment it is being stopped. */
export const adoptedName = (owner: Owner, slot: Slot) => `${slotName(owner, slot)}-adopted`;
/** The last one stopped, where only it knows the settings that the next one takes over. */
export const parkedName = (owner: Owner) => `${owner.service}-parked`;

export interface Containers {
  /** null where the slot is empty. */
  inSlot(slot: Slot): Promise<Found | null>;
  /** Of that name or id; null where there is none. */
  named(name: string): Promise<ContainerInspectInfo | null>;
  /** The one to take settings over from when another is made; the one that serves, where there are several. */
  model(): Promise<Model | null>;
  isOurs(info: ContainerInspectInfo, slot: Slot): boolean;
}

export interface Place {
  engine: Engine;
  owner: Owner;
  ports: Record<Slot, number>;
  options: DockerOptions;
}

export function createContainers(place: Place): Containers {
  const { engine, owner, ports } = place;
  const named = (name: string) =>
    engine.ask(`look at container ${name}`, (docker) => docker.getContainer(name).inspect(), { 404: null });
  const isOurs = ({ Config: { Labels } }: ContainerInspectInfo, slot: Slot) =>
    Labels?.[label.service] === owner.service && Labels[label.folder] === owner.folder && Labels[label.slot] === slot;

  async function inSlot(slot: Slot): Promise<Found | null> {
    const own = await named(slotName(owner, slot));
    if (own && isOurs(own, slot)) return { info: own, ours: true };
    const leaving = await named(adoptedName(owner, slot));
    const adopted = leaving ?? (await adoptable(place, slot, named));
    return adopted && { info: adopted, ours: false };
  }

  async function model(): Promise<Model | null> {
    const found = await Promise.all(Object.keys(ports).map(inSlot));
    const infos = found.flatMap((one) => (one && one.info.State.Status !== 'created' ? [one.info] : []));
    const running = infos.filter(({ State }) => State.Running);
    const info = newest(running) ?? (await named(parkedName(owner))) ?? newest(infos);
    return info && { info, image: await imageOf(engine, info.Image) };
  }

  return { inSlot, named, model, isOurs };
}

/** null where the engine has no such image. */
export async function imageOf(engine: Engine, image: string) {
  return await engine.ask(`look at image ${image}`, (docker) => docker.getImage(image).inspect(), { 404: null });
}

async function adoptable({ engine, ports, options }: Place, slot: Slot, named: Containers['named']) {
  if (options.adopt) {
    const info = await named(options.adopt);
    if (!info || info.Config.Labels?.[label.service]) return null;
    return (slotPublishedBy(info, ports) ?? Object.keys(ports)[0]) === slot ? info : null;
  }
  const running = await engine.ask('list containers', (docker) => docker.listContainers());
  const serving = running.find((one) => !one.Labels?.[label.service] && publishes(one, ports[slot]));
  return serving ? await named(serving.Id) : null;
}

function publishes({ Ports }: ContainerInfo, port: number | undefined): boolean {
  return Ports.some(({ PublicPort, Type }) => PublicPort === port && Type === 'tcp');
}

function slotPublishedBy({ HostConfig }: ContainerInspectInfo, ports: Record<Slot, number>): Slot | null {
  const bindings = Object.values((HostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[] | null>);
  const published = new Set(bindings.flatMap((at) => at ?? []).map(({ HostPort }) => Number(HostPort)));
  return Object.keys(ports).find((slot) => published.has(ports[slot]!)) ?? null;
}

function newest(infos: ContainerInspectInfo[]): ContainerInspectInfo | null {
  return infos.toSorted((a, b) => b.Created.localeCompare(a.Created))[0] ?? null;
}

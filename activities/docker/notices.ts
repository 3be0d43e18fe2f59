/** What a person should know of the running container before a deploy. Pure. */
import type { ContainerInspectInfo } from 'dockerode';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { DockerOptions } from './docker-options.ts';
import { type Model, settingsOf } from './take-over.ts';

/** In sentences. `adopted`: the slot in which it serves, where Holdpoint did not make it. */
export function noticesFor(
  { info, image }: Model,
  adopted: Slot | null,
  ports: Record<Slot, number>,
  options: DockerOptions,
): string[] {
  const name = info.Name.slice(1);
  const settings = settingsOf({ info, image });
  return [
    ...(adopted ? adoption(adopted, name, info, image) : []),
    ...(info.HostConfig.AutoRemove
      ? [`${name} was started with --rm: once stopped, nothing is left of it to go back to, nor of its log.`]
      : []),
    ...hostNetwork(name, info, options),
    ...otherPorts(name, info, ports),
    ...sharedVolumes(name, info, options),
    ...sharedNames(name, settings.networks),
  ];
}

function adoption(slot: Slot, name: string, info: ContainerInspectInfo, image: Model['image']): string[] {
  const project = info.Config.Labels?.['com.docker.compose.project'];
  const command = JSON.stringify(info.Config.Cmd) !== JSON.stringify(image?.Config.Cmd);
  const entry = JSON.stringify(info.Config.Entrypoint) !== JSON.stringify(image?.Config.Entrypoint);
  return [
    `${name}, which Holdpoint did not make, serves in ${slot}: once the deploy is confirmed it is stopped and removed.`,
    ...(project ? [`${name} is of Compose project ${project}: \`docker compose up\` there would start it again.`] : []),
    ...(image && (command || entry)
      ? [`${name} runs a command of its own, which is not taken over: say it in the runbook's \`start\`.`]
      : []),
  ];
}

function hostNetwork(name: string, { HostConfig }: ContainerInspectInfo, { networks }: DockerOptions): string[] {
  if (HostConfig.NetworkMode !== 'host' || networks) return [];
  return [`${name} uses the host's network, where two versions cannot share a port: give docker \`networks\` instead.`];
}

function otherPorts(name: string, { HostConfig }: ContainerInspectInfo, ports: Record<Slot, number>): string[] {
  const bindings = Object.values((HostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[] | null>);
  const published = bindings.flatMap((at) => at ?? []).map(({ HostPort }) => Number(HostPort));
  const others = published.filter((port) => port > 0 && !Object.values(ports).includes(port));
  if (others.length === 0) return [];
  return [`${name} also publishes ${others.join(', ')}, which no slot has: the next version does not publish it.`];
}

function sharedVolumes(name: string, { Mounts }: ContainerInspectInfo, { volumes }: DockerOptions): string[] {
  const shared = Mounts.filter(({ RW, Type }) => RW && (Type === 'volume' || Type === 'bind'));
  if (volumes || shared.length === 0) return [];
  const list = shared.map(({ Destination }) => Destination).join(', ');
  return [`Both versions write to the same ${list} while they run beside each other (mounts of ${name}).`];
}

function sharedNames(name: string, networks: Record<string, string[]>): string[] {
  return Object.entries(networks)
    .filter(([, aliases]) => aliases.length > 0)
    .map(
      ([network, aliases]) =>
        `Whoever calls ${name} as ${aliases.join(', ')} in network ${network} reaches either version as soon as both run.`,
    );
}

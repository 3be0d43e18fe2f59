/** What a running container was given beyond its image: the next one beside it gets the same. Pure. */
import type { ContainerCreateOptions, ContainerInspectInfo, HostConfig, ImageInspectInfo } from 'dockerode';
import { label, namesIn } from './labels.ts';

/** The container to take settings over from, and its image; null where the engine no longer has that. */
export interface Model {
  info: ContainerInspectInfo;
  image: ImageInspectInfo | null;
}

export interface Settings {
  env: Record<string, string>;
  config: Pick<ContainerCreateOptions, 'User' | 'WorkingDir' | 'StopSignal' | 'Healthcheck'>;
  host: HostConfig;
  /** Aliases by network. */
  networks: Record<string, string[]>;
}

export function settingsOf({ info, image }: Model): Settings {
  return { env: ownEnv(info, image), config: ownConfig(info, image), host: hostConfig(info), networks: networks(info) };
}

/** What is neither the image's nor was set by Holdpoint. */
function ownEnv({ Config }: ContainerInspectInfo, image: ImageInspectInfo | null): Record<string, string> {
  const ofImage = new Set(image?.Config.Env ?? []);
  const set = new Set(namesIn(Config.Labels?.[label.variables]));
  const own = (Config.Env ?? []).filter((line) => !ofImage.has(line)).map(variable);
  return Object.fromEntries(own.filter(([name]) => !set.has(name)));
}

export function variable(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

const ownKeys = ['User', 'WorkingDir', 'StopSignal', 'Healthcheck'] as const;

/** Docker shows the image's settings as the container's: what is equal was not asked for. */
function ownConfig({ Config }: ContainerInspectInfo, image: ImageInspectInfo | null): Settings['config'] {
  const given = Config as Record<string, unknown>;
  const ofImage = (image?.Config ?? {}) as Record<string, unknown>;
  const own = ownKeys.filter((key) => given[key] && JSON.stringify(given[key]) !== JSON.stringify(ofImage[key]));
  return Object.fromEntries(own.map((key) => [key, given[key]]));
}

/** All of it, but what cannot be had twice, and what says how it begins and ends. */
function hostConfig(info: ContainerInspectInfo): HostConfig {
  const { PortBindings, PublishAllPorts, AutoRemove, ContainerIDFile, VolumesFrom, ...rest } = info.HostConfig;
  return { ...rest, Binds: [...(rest.Binds ?? []), ...otherMounts(info)] };
}

/** Volumes of the image, and of other containers: only the list of mounts names them. */
function otherMounts({ HostConfig, Mounts }: ContainerInspectInfo): string[] {
  const known = new Set((HostConfig.Binds ?? []).map((bind) => bind.split(':')[1]));
  for (const mount of (HostConfig.Mounts ?? []) as { Target: string }[]) known.add(mount.Target);
  return Mounts.filter(
    ({ Destination, Type }) => !known.has(Destination) && (Type === 'bind' || Type === 'volume'),
  ).map(
    ({ Type, Name, Source, Destination, RW }) =>
      `${Type === 'volume' ? Name : Source}:${Destination}${RW ? '' : ':ro'}`,
  );
}

const builtIn = new Set(['bridge', 'default', 'host', 'none']);

function networks({ Id, NetworkSettings }: ContainerInspectInfo): Record<string, string[]> {
  const joined = Object.entries(NetworkSettings.Networks).filter(([name]) => !builtIn.has(name));
  return Object.fromEntries(
    joined.map(([name, { Aliases }]) => [
      name,
      // Docker itself adds the beginning of the container's id.
      ((Aliases ?? []) as string[]).filter((alias) => !Id.startsWith(alias)),
    ]),
  );
}

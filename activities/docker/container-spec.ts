/** What to create, from the runbook, the options and the running container. Pure. */
import type { ContainerCreateOptions, HostConfig, ImageInspectInfo } from 'dockerode';
import type { Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { DockerOptions } from './docker-options.ts';
import { instanceLabels, label, type Owner, slotName } from './labels.ts';
import { type Model, type Settings, settingsOf } from './take-over.ts';

export interface Created {
  /** For the engine; joins the first network. */
  create: ContainerCreateOptions;
  /** To be joined before it starts: aliases by network. An engine before 25 joins only one when it creates. */
  alsoJoin: Record<string, string[]>;
}

export interface InstanceWish {
  owner: Owner;
  slot: Slot;
  spec: InstanceSpec;
  env: Record<string, string>;
  writer: Writer;
  image: ImageInspectInfo;
  model: Model | null;
  ports: Record<Slot, number>;
  options: DockerOptions;
}

/** An instance in its slot. Throws `NoPort`, `HostNetwork`. */
export function instanceContainer(wish: InstanceWish): Created {
  const { owner, slot, spec, writer, model, options } = wish;
  const base = baseContainer(spec.release.image ?? wish.image.Id, model, options);
  assertOwnNetwork(wish, base.create.HostConfig?.NetworkMode);
  const port = `${containerPort(wish)}/tcp`;
  const own = {
    ...spec.env,
    ...wish.env,
    PORT: String(containerPort(wish)),
    HOLDPOINT_SLOT: slot,
    HOLDPOINT_RELEASE: spec.release.version,
  };
  const create: ContainerCreateOptions = {
    ...base.create,
    name: slotName(owner, slot),
    ...(spec.command.length > 0 ? { Cmd: spec.command } : {}),
    Env: envLines({ ...base.env, ...own }),
    ExposedPorts: { [port]: {} },
    Labels: {
      ...instanceLabels(owner, slot, spec, writer),
      [label.variables]: Object.keys(own).join(','),
      ...(model ? { [label.model]: nameOf(model) } : {}),
    },
    HostConfig: {
      ...base.create.HostConfig,
      PortBindings: { [port]: [{ HostIp: options.publish, HostPort: String(spec.port) }] },
      // Until it has stood for a moment: one that ends at once shall be seen to, not started again and again.
      RestartPolicy: { Name: 'no' },
    },
  };
  return { create, alsoJoin: base.alsoJoin };
}

/** A command of a release where its instances run: their networks, mounts and settings, but no port and no alias. */
export function commandContainer(
  image: string,
  model: Model | null,
  options: DockerOptions,
  more: { command: string[]; env: Record<string, string>; cwd?: string | undefined; labels: Record<string, string> },
): Created {
  const base = baseContainer(image, model, options);
  const create: ContainerCreateOptions = {
    ...base.create,
    Cmd: more.command,
    Env: envLines({ ...base.env, ...more.env }),
    Labels: { ...more.labels, [label.variables]: Object.keys(more.env).join(',') },
    Healthcheck: { Test: ['NONE'] },
    ...(more.cwd === undefined ? {} : { WorkingDir: more.cwd }),
    NetworkingConfig: { EndpointsConfig: {} },
    HostConfig: { ...base.create.HostConfig, RestartPolicy: { Name: 'no' } },
  };
  return { create, alsoJoin: Object.fromEntries(Object.keys(base.alsoJoin).map((name) => [name, []])) };
}

/** What the service gets once it has stood for a moment. */
export function restartPolicy(model: Model | null, { restart }: DockerOptions): { Name: string } {
  const before = model?.info.HostConfig.RestartPolicy;
  if (restart) return { Name: restart };
  // A container that was started without a thought has "no": it would not come back after a reboot.
  return before?.Name && before.Name !== 'no' ? before : { Name: 'unless-stopped' };
}

interface Base extends Created {
  env: Record<string, string>;
}

const nothing: Settings = { env: {}, config: {}, host: {}, networks: {} };

function baseContainer(image: string, model: Model | null, options: DockerOptions): Base {
  const taken = model ? settingsOf(model) : nothing;
  const networks = options.networks
    ? Object.fromEntries(options.networks.map((name) => [name, taken.networks[name] ?? []]))
    : taken.networks;
  const [first, ...others] = Object.entries(networks);
  const host: HostConfig = { ...taken.host, ...asked(options), ...(first ? { NetworkMode: first[0] } : {}) };
  const create: ContainerCreateOptions = {
    ...taken.config,
    ...(options.user ? { User: options.user } : {}),
    Image: image,
    HostConfig: host,
    ...(first ? { NetworkingConfig: { EndpointsConfig: { [first[0]]: { Aliases: first[1] } } } } : {}),
  };
  return { create, env: taken.env, alsoJoin: Object.fromEntries(others) };
}

function asked({ volumes, memory, cpus, hosts, init }: DockerOptions): HostConfig {
  return {
    ...(volumes ? { Binds: volumes, Mounts: [] } : {}),
    ...(memory ? { Memory: bytes(memory), MemorySwap: 0 } : {}),
    ...(cpus ? { NanoCpus: cpus * 1e9, CpuQuota: 0, CpuPeriod: 0 } : {}),
    ...(hosts ? { ExtraHosts: hosts } : {}),
    ...(init === undefined ? {} : { Init: init }),
  };
}

function containerPort({ options, model, image, ports, spec }: InstanceWish): number {
  const published = model && publishedPort(model, Object.values(ports));
  const exposed = Object.keys(image.Config.ExposedPorts ?? {}).filter((port) => port.endsWith('/tcp'));
  const port = options.port ?? published ?? (exposed.length === 1 ? Number.parseInt(exposed[0]!, 10) : null);
  if (port !== null) return port;
  throw refuse(
    'NoPort',
    `Which port ${spec.service} ${spec.release.version} listens on inside its container is not known: its image exposes ` +
      `${exposed.join(', ') || 'none'}. Say it as \`port\` among the options of docker.`,
  );
}

function publishedPort({ info }: Model, slotPorts: number[]): number | null {
  const bindings = Object.entries((info.HostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[]>);
  const found = bindings.find(([, at]) => at?.some(({ HostPort }) => slotPorts.includes(Number(HostPort))));
  return found ? Number.parseInt(found[0], 10) : null;
}

function assertOwnNetwork({ spec, slot, model }: InstanceWish, mode = ''): void {
  if (mode !== 'host' && !mode.startsWith('container:')) return;
  throw refuse(
    'HostNetwork',
    `${spec.service} ${spec.release.version} cannot start in ${slot}: ${model ? nameOf(model) : 'it'} has no network of ` +
      `its own (${mode}), and two versions cannot share one port. Give docker \`networks\` to start it in.`,
  );
}

function bytes(text: string): number {
  const unit = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[text.at(-1) as 'k' | 'm' | 'g'];
  return Number.parseInt(text, 10) * unit;
}

function envLines(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function nameOf({ info }: Model): string {
  return info.Name.slice(1);
}

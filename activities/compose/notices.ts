/** What a person should know of a Compose project before a deploy: what each setting costs, and what to do about it. */
import { variable } from '../docker/take-over.ts';
import { type Configuration, readConfiguration, type ServiceConfiguration, serviceIn } from './configuration.ts';
import { type Container, isOurs, isUp, publishedPorts } from './containers.ts';
import type { ComposeOptions } from './options.ts';
import type { ComposeSite } from './site.ts';

/** In sentences. Throws where Compose is missing or too old, and where the project cannot be read. */
export async function notices(site: ComposeSite): Promise<string[]> {
  const { options, target, cli, containers } = site;
  const slots = Object.keys(target.ports);
  const said: string[] = [];
  for (const slot of options.projects ? slots : slots.slice(0, 1)) {
    const project = await site.project(slot);
    const configuration = await readConfiguration(cli, project);
    const running = (await containers.all(project.name)).filter(isUp);
    said.push(...noticesFor({ configuration, options, ports: Object.values(target.ports), running }));
  }
  return [...new Set(said)];
}

export interface Seen {
  configuration: Configuration;
  options: Pick<ComposeOptions, 'service' | 'port' | 'projects'>;
  /** Of all slots. */
  ports: number[];
  /** Containers of the service. */
  running: Container[];
}

/** Pure. */
export function noticesFor(seen: Seen): string[] {
  const { configuration, options, ports } = seen;
  const service = serviceIn(configuration, options.service);
  const oneProject = !options.projects;
  return [
    ...(ports.length === 1 ? outage(seen, service) : []),
    ...(oneProject ? [...fixedName(seen, service), ...fixedPorts(seen, service)] : []),
    ...notInSlots(seen),
    ...dependencies(seen, service),
    ...volumes(seen, service),
    ...replicas(seen, service),
    ...noHealthcheck(seen),
    ...changedSettings(seen, service),
    ...byHand(seen),
  ];
}

function outage({ options, running }: Seen, { stop_grace_period }: ServiceConfiguration): string[] {
  if (running.length === 0) return [];
  return [
    `${options.service} has one slot, so it will be down while it stops (Compose allows ${stop_grace_period ?? '10s'}) and ` +
      'until it has started again (how long that takes is not known): a second port in `ports` and a proxy avoid that.',
  ];
}

function fixedName({ options: { service } }: Seen, { container_name: name }: ServiceConfiguration): string[] {
  if (name === undefined) return [];
  return [
    `container_name ${name}: two containers cannot share one name, so Holdpoint drops it; whatever uses that name must ` +
      `use the service's name, ${service}.`,
  ];
}

/** Of the service's ports only the slot's is published by what Holdpoint starts. */
function fixedPorts({ options, ports }: Seen, service: ServiceConfiguration): string[] {
  const fixed = (service.ports ?? []).flatMap(({ published, target, host_ip }) =>
    published ? [{ published, target, open: host_ip !== '127.0.0.1' }] : [],
  );
  const others = fixed.filter(({ published, target }) => target !== options.port || !ports.includes(Number(published)));
  const open = fixed.some(({ published, open }) => open && ports.includes(Number(published)));
  const list = others.map(({ published }) => published).join(', ');
  return [
    ...(others.length > 0
      ? [
          `${options.service} publishes ${list}, which only one version at a time could have: the next one does not ` +
            'publish it; whatever asks there has to ask the proxy.',
        ]
      : []),
    ...(open
      ? [
          `${options.service} publishes its port on every address; what Holdpoint starts publishes it on 127.0.0.1 only: ` +
            'whoever asks from another machine has to ask the proxy.',
        ]
      : []),
  ];
}

function notInSlots({ options: { service, projects }, ports, running }: Seen): string[] {
  if (projects) return [];
  const strays = running.filter((one) => !publishedPorts(one).some((port) => ports.includes(port)));
  return strays.map((one) => {
    const published = publishedPorts(one).join(', ');
    return (
      `${one.Name.slice(1)} is in no slot, since it publishes ${published || 'no port'}: Holdpoint leaves it running beside ` +
      `what it deploys; publish ${service} on one of ${ports.join(', ')}, or stop it by hand afterwards.`
    );
  });
}

function dependencies({ configuration, options }: Seen, { depends_on }: ServiceConfiguration): string[] {
  const { service } = options;
  const needs = Object.keys(depends_on ?? {});
  const neededBy = Object.entries(configuration.services).filter(([, other]) => service in (other.depends_on ?? {}));
  return [
    ...(needs.length > 0 && !options.projects
      ? [
          `${service} depends on ${needs.join(', ')}, which Holdpoint leaves alone: they have to run already, and a change ` +
            `of theirs is made by \`docker compose up -d ${needs.join(' ')}\`.`,
        ]
      : []),
    ...(neededBy.length > 0
      ? [
          `${neededBy.map(([name]) => name).join(', ')} depends on ${service} and is not restarted with it: it reaches ` +
            `either version under the name ${service} while both run, and has to connect again by itself.`,
        ]
      : []),
  ];
}

function volumes({ options: { service }, ports }: Seen, { volumes }: ServiceConfiguration): string[] {
  const kept = (volumes ?? []).filter(({ type }) => type === 'volume' || type === 'bind');
  const shared = kept.filter(({ source, read_only }) => source && !read_only).map(({ target }) => target);
  const anonymous = kept.filter(({ source }) => !source).map(({ target }) => target);
  return [
    ...(shared.length > 0 && ports.length > 1
      ? [
          `Both versions of ${service} write to ${shared.join(', ')} while they run beside each other: what is there has ` +
            'to stand that, or use strategy recreate.',
        ]
      : []),
    ...(anonymous.length > 0
      ? [
          `${service} keeps ${anonymous.join(', ')} in a volume without a name, so each release begins with an empty one: ` +
            'give it a name.',
        ]
      : []),
  ];
}

function replicas({ options: { service } }: Seen, { deploy, scale }: ServiceConfiguration): string[] {
  const wanted = scale ?? deploy?.replicas ?? 1;
  if (wanted <= 1) return [];
  return [
    `${service} asks for ${wanted} replicas, and Holdpoint starts one a slot: give the target ${wanted} slots and use ` +
      'strategy rolling to keep as many.',
  ];
}

function noHealthcheck({ options: { service }, running }: Seen): string[] {
  if (running.every(({ State }) => State.Health)) return [];
  return [
    `${service} has no HEALTHCHECK, so Docker cannot tell whether it is well: give it one, or let \`ready\` name a path.`,
  ];
}

/** As far as a container tells: its environment. Names only, values may be secrets. */
function changedSettings({ options: { service }, running }: Seen, { environment }: ServiceConfiguration): string[] {
  const adopted = running.find((one) => !isOurs(one));
  if (!adopted) return [];
  const has = new Map((adopted.Config.Env ?? []).map(variable));
  // `config` escapes what it has filled in.
  const wanted = Object.entries(environment ?? {}).map(
    ([name, value]) => [name, value?.replaceAll('$$', '$')] as const,
  );
  const changed = wanted
    .filter(([name, value]) => value !== undefined && has.get(name) !== value)
    .map(([name]) => name);
  if (changed.length === 0) return [];
  return [
    `${service} runs with another ${changed.join(', ')} than its files have now: going back to it after it was stopped ` +
      `starts it with theirs; \`docker compose up -d ${service}\` before the deploy settles which is right.`,
  ];
}

function byHand({ configuration: { name }, options: { service } }: Seen): string[] {
  return [
    `\`docker compose up\` in project ${name} without naming services takes ${service} back to the image in its file: name ` +
      `the services to start, and leave ${service} to Holdpoint.`,
  ];
}

/** What of a Compose project is deployed, in which order, and by which images. Pure. */
import type { Strategy } from '../../workflows/runbook/schema.ts';
import type { ComposeProject, ComposeService } from './compose-file.ts';
import { freeFrom, repositoryOf } from './compose-values.ts';
import { type FoundProxy, proxyOf } from './proxy-found.ts';

export interface ComposeTarget {
  /** As the runbook names it; the service's, as far as a name may. */
  name: string;
  service: ComposeService;
  strategy: Strategy;
  ports: Record<string, number>;
  /** The port that the running container publishes; null: it publishes none, so it cannot be adopted. */
  published: number | null;
}

export interface ComposeChoice {
  /** Each after those that it depends on. */
  targets: ComposeTarget[];
  image: ImageChoice;
  /** What is left out, and why, in sentences. */
  left: string[];
}

export interface ImageChoice {
  repository: string;
  build: ComposeService['build'];
  /** The file does not say where images are kept. */
  guessed: boolean;
}

/** Programs that are not the team's own; their data outlives every release. */
const others =
  /^(postgres|postgis|timescaledb|pgvector|pgbouncer|mysql|mariadb|mongo|redis|valkey|memcached|rabbitmq|nats|kafka|zookeeper|elasticsearch|opensearch|clickhouse|minio|etcd|vault|prometheus|grafana|adminer|mailpit|mailhog|temporal|auto|ui|busybox|alpine)/;

/** null where the file has no service of the team's own. */
export function choose(project: ComposeProject, proxy: FoundProxy | null): ComposeChoice | null {
  const own = project.services.filter((service) => proxyOf(service) === null && (service.build || !isOthers(service)));
  const published = own.filter(({ published: ports }) => ports.length > 0);
  // Behind a proxy in the same network a service need not publish anything; then its last one is what people ask.
  const asked = published.length > 0 ? published : own.slice(-1);
  const last = asked.at(-1);
  if (!last) return null;
  const behind = asked.findLast(({ name }) => proxy?.service?.dependsOn.includes(name)) ?? last;
  const { image, same } = imageOf(project, behind, asked);
  const taken = [...project.services, ...(project.pair?.greenServices ?? [])].flatMap((service) =>
    service.published.map(({ port }) => port),
  );
  const targets = same.map((service): ComposeTarget => {
    const both = proxy !== null && service === behind;
    const ports = portsOf(project, service, taken, both);
    taken.push(...Object.values(ports));
    const strategy = both ? 'blue-green' : 'recreate';
    return { name: toTarget(service.name), service, strategy, ports, published: service.published[0]?.port ?? null };
  });
  return { targets, image, left: leftOut(own, asked, same) };
}

function isOthers({ image }: ComposeService): boolean {
  const repository = repositoryOf(image ?? '');
  return others.test(repository.slice(repository.lastIndexOf('/') + 1));
}

/** A port of its own for each slot: what runs keeps the one that it publishes. */
function portsOf(project: ComposeProject, service: ComposeService, taken: number[], both: boolean) {
  const blue = service.published[0]?.port ?? freeFrom(4001, taken);
  if (!both && !project.pair) return { blue };
  const inGreen = project.pair?.greenServices.find(({ name }) => name === service.name)?.published[0]?.port;
  return { blue, green: inGreen ?? freeFrom(blue + 1, taken) };
}

/** One runbook has one place of images: where several services differ by their own name alone, that is `{target}`. */
function imageOf(project: ComposeProject, main: ComposeService, asked: ComposeService[]) {
  const pattern = patternOf(main);
  const same = pattern ? asked.filter((service) => !service.build && patternOf(service) === pattern) : [];
  if (pattern && same.length > 1 && !main.build) {
    return { image: { repository: pattern, build: null, guessed: false }, same };
  }
  const repository = main.image === null ? '' : repositoryOf(main.image);
  const image: ImageChoice = {
    repository: repository || `${project.name}-${main.name}`,
    build: main.build,
    guessed: repository === '',
  };
  return { image, same: [main] };
}

function patternOf({ image, name }: ComposeService): string | null {
  const repository = image === null ? '' : repositoryOf(image);
  const ends = new RegExp(`(^|[/_.-])${name.replace(/[.]/g, '\\.')}$`);
  return ends.test(repository) && toTarget(name) === name
    ? `${repository.slice(0, repository.length - name.length)}{target}`
    : null;
}

function leftOut(own: ComposeService[], asked: ComposeService[], same: ComposeService[]): string[] {
  return own.flatMap((service) => {
    if (same.includes(service)) return [];
    const why = asked.includes(service)
      ? 'has an image of another name: give it a runbook of its own'
      : 'publishes no port, by which a slot is known: publish one to deploy it too';
    return [`${service.name} ${why}`];
  });
}

/** Compose allows more in a name than a target may have. */
function toTarget(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^[^a-z]+/, '') || 'web'
  );
}

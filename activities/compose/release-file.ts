/** The compose file that starts one release in one slot: the project's own, with what has to differ. Pure. */
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { serviceIn, type WrittenConfiguration } from './configuration.ts';

export interface ReleaseWish {
  service: string;
  slot: Slot;
  spec: InstanceSpec;
  /** Reference of the image to run. */
  image: string;
  /** What the service listens on inside its container. */
  port: number;
  labels: Record<string, string>;
  /** Each slot has a project to itself, whose file says what is published, and under which name. */
  ownProject: boolean;
}

/**
 * No value of a secret, nor any of `.env`, is in it: secrets stand as `${HOLDPOINT_SECRET_<NAME>}`, which
 * `secretsFor` fills in when Compose is called; what `.env` holds stays as the project's files have it.
 */
export function releaseFile(written: WrittenConfiguration, wish: ReleaseWish): WrittenConfiguration {
  const { spec, port } = wish;
  const plain = escaped(plainVariables(wish));
  const secrets = spec.secrets.filter((name) => !(name in plain)).map((name) => [name, `\${${variableOf(name)}}`]);
  const { container_name, build, ports, environment, command, ...rest } = serviceIn(written, wish.service);
  const folderRelease = spec.release.image === undefined && build !== undefined;
  return withService(written, wish.service, {
    ...rest,
    ...(folderRelease ? { build } : {}),
    ...(wish.ownProject ? defined({ container_name, ports }) : { ports: [published(spec.port, port)] }),
    image: wish.image,
    ...(spec.command.length > 0 ? { command: spec.command.map(literal) } : defined({ command })),
    environment: { ...asMap(environment), ...Object.fromEntries(secrets), ...plain },
    labels: { ...asMap(rest.labels), ...escaped(wish.labels) },
  });
}

/** What Holdpoint sets in the container's environment beside the secrets. */
export function plainVariables({ spec, slot, port }: Pick<ReleaseWish, 'spec' | 'slot' | 'port'>) {
  const own = { PORT: String(port), HOLDPOINT_SLOT: slot, HOLDPOINT_RELEASE: spec.release.version };
  return { ...spec.env, ...own };
}

/** A file that started the release before, for another start: all as it was, under a new writer. */
export function startedAgain(
  stored: WrittenConfiguration,
  { service, labels }: Pick<ReleaseWish, 'service' | 'labels'>,
): WrittenConfiguration {
  const before = serviceIn(stored, service);
  return withService(stored, service, { ...before, labels: { ...asMap(before.labels), ...escaped(labels) } });
}

/** The same for another slot: published there, and without a name that two cannot share. */
export function movedTo(
  stored: WrittenConfiguration,
  { service, slot, spec, port }: Pick<ReleaseWish, 'service' | 'slot' | 'spec' | 'port'>,
): WrittenConfiguration {
  const { container_name, ...before } = serviceIn(stored, service);
  return withService(stored, service, {
    ...before,
    ports: [published(spec.port, port)],
    environment: { ...asMap(before.environment), HOLDPOINT_SLOT: slot },
  });
}

/** What the project's files say of the container that runs now, with the very image that it runs. */
export function adoptedFile(written: WrittenConfiguration, service: string, image: string): WrittenConfiguration {
  const { build, ...now } = serviceIn(written, service);
  return { ...withService(written, service, { ...now, image }), [adoptedMark]: true };
}

/** It was written for a container that Holdpoint did not start. */
export function isAdopted(stored: WrittenConfiguration): boolean {
  return stored[adoptedMark] === true;
}

/** What it runs, and whether that is built from the file itself. */
export function imageIn({ services }: WrittenConfiguration, service: string): { image: string; built: boolean } {
  const { image, build } = services[service] ?? {};
  return { image: String(image), built: build !== undefined };
}

/** Environment for the `compose` command: fills in the secrets of a release file. */
export function secretsFor({ secrets }: InstanceSpec, env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(secrets.flatMap((name) => (name in env ? [[variableOf(name), env[name]!]] : [])));
}

/** Names of the secrets that the file needs, and nobody gives now: the runbook has dropped them since. */
export function missingSecrets(file: WrittenConfiguration, given: Record<string, string>): string[] {
  const needed = JSON.stringify(file).matchAll(/\$\{HOLDPOINT_SECRET_(\w+)\}/g);
  return [...new Set([...needed].map(([, name]) => name!))].filter((name) => !(variableOf(name) in given));
}

/** A field of the file itself, which Compose leaves alone. */
const adoptedMark = 'x-holdpoint-adopted';
/** A name of its own: under the secret's, it would also fill in what the project's files take from `.env`. */
const variableOf = (name: string) => `HOLDPOINT_SECRET_${name}`;

const published = (slotPort: number, port: number) => `127.0.0.1:${slotPort}:${port}`;

function withService(file: WrittenConfiguration, service: string, value: Record<string, unknown>) {
  return { ...file, services: { ...file.services, [service]: value } };
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** `A: b`, or the list `A=b`, `C`: files may have either. */
function asMap(written: unknown): Record<string, unknown> {
  if (!Array.isArray(written)) return { ...(written as Record<string, unknown> | null | undefined) };
  return Object.fromEntries(
    (written as string[]).map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line, null] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

const literal = (text: string) => text.replaceAll('$', '$$$$');

function escaped(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, text]) => [name, literal(text)]));
}

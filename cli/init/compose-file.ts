/** Reads a Compose project's files as far as `holdpoint init` has to know them. Runs nothing, changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { fillIn, type Published, publishedPort } from './compose-values.ts';

export interface ComposeService {
  name: string;
  /** As the file names it, with `${NAME:-…}` filled in. */
  image: string | null;
  build: { context: string; dockerfile: string } | null;
  published: Published[];
  /** Port inside the container: of the first published one, else of `expose`; null where nothing says. */
  port: number | null;
  healthcheck: boolean;
  dependsOn: string[];
}

/** A slot that is a project of its own. */
export interface SlotProject {
  file: string;
  project: string;
}

export interface ComposeProject {
  /** Absolute. */
  folder: string;
  /** As the file itself says, without the slot; null: it does not. */
  ownName: string | null;
  /** That, else the folder's. */
  name: string;
  /** Each after those that it depends on. */
  services: ComposeService[];
  /** Where blue and green have a file each; the services of green by name. Otherwise null. */
  pair: { blue: SlotProject; green: SlotProject; greenServices: ComposeService[] } | null;
  /** The file that people edit. */
  file: string;
}

const single = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const pairs = ['compose.blue.yaml', 'compose.blue.yml', 'docker-compose.blue.yml', 'docker-compose.blue.yaml'];

/** null where there is no compose file. Throws a `Problem` for one that cannot be read. */
export function readProject(folder: string): ComposeProject | null {
  const has = (file: string) => existsSync(join(folder, file));
  const blue = pairs.find((file) => has(file) && has(greenOf(file)));
  const file = blue ?? single.find(has);
  if (!file) return null;
  const read = readFile(folder, file);
  const ownName = blue ? (read.name?.replace(/[-_]?blue$/, '') ?? null) : read.name;
  const name = ownName ?? basename(resolve(folder)).toLowerCase();
  const services = inOrder(read.services);
  const project = { folder: resolve(folder), ownName, name, file, services, pair: null };
  if (!blue) return project;
  const green = readFile(folder, greenOf(blue));
  const slot = (slotFile: string, slotName: string, own: string | null) => ({
    file: slotFile,
    project: own ?? `${name}-${slotName}`,
  });
  const pair = {
    blue: slot(blue, 'blue', read.name),
    green: slot(greenOf(blue), 'green', green.name),
    greenServices: green.services,
  };
  return { ...project, pair };
}

const greenOf = (blue: string) => blue.replace('.blue.', '.green.');

const text = z.union([z.string(), z.number()]).transform(String);
const names = z.union([z.array(z.string()), z.record(z.string(), z.unknown()).transform(Object.keys)]);
const service = z.object({
  image: z.string().optional(),
  build: z
    .union([
      z.string().transform((context) => ({ context, dockerfile: undefined })),
      z.object({ context: z.string().optional(), dockerfile: z.string().optional() }),
    ])
    .optional(),
  ports: z
    .array(z.union([text, z.object({ published: text.optional(), target: text, host_ip: z.string().optional() })]))
    .default([]),
  expose: z.array(text).default([]),
  healthcheck: z.object({ disable: z.boolean().optional() }).optional(),
  depends_on: names.default([]),
});
const composeFile = z.object({ name: z.string().optional(), services: z.record(z.string(), service) });

function readFile(folder: string, file: string): { name: string | null; services: ComposeService[] } {
  const env = valuesOf(folder);
  try {
    const read = composeFile.parse(parse(readFileSync(join(folder, file), 'utf8'), { merge: true }));
    return {
      name: read.name === undefined ? null : fillIn(read.name, env),
      services: Object.entries(read.services).map(([name, written]) => toService(name, written, folder, env)),
    };
  } catch (error) {
    // Where it is wrong, not what is there: that may be a secret.
    const why =
      error instanceof z.ZodError ? error.issues.map(({ path }) => path.join('.')).join(', ') : firstLine(error);
    throw new Problem(exitCodes.usage, `${join(folder, file)} cannot be read as a compose file: ${why}.`, [
      'Look what Compose says: docker compose config --quiet',
    ]);
  }
}

function toService(
  name: string,
  written: z.output<typeof service>,
  folder: string,
  env: Record<string, string>,
): ComposeService {
  const published = written.ports.flatMap((port) => publishedPort(port, env) ?? []);
  const exposed = Number.parseInt(fillIn(written.expose[0] ?? '', env), 10);
  const build = written.build && {
    context: written.build.context ?? '.',
    dockerfile: written.build.dockerfile ?? 'Dockerfile',
  };
  return {
    name,
    image: written.image === undefined ? null : fillIn(written.image, env),
    build: build ?? null,
    published,
    port: published[0]?.target ?? (exposed > 0 ? exposed : null),
    healthcheck: written.healthcheck ? !written.healthcheck.disable : saysHealthcheck(folder, build),
    dependsOn: written.depends_on,
  };
}

function saysHealthcheck(folder: string, build: ComposeService['build'] | undefined): boolean {
  if (!build) return false;
  try {
    return /^\s*HEALTHCHECK\s+(?!NONE)/im.test(readFileSync(resolve(folder, build.context, build.dockerfile), 'utf8'));
  } catch {
    return false;
  }
}

/** What Compose itself fills in from; only ports and names of images are made of it. */
function valuesOf(folder: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(join(folder, '.env'), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

function inOrder(services: ComposeService[]): ComposeService[] {
  const ordered: ComposeService[] = [];
  const add = (one: ComposeService, above: string[]) => {
    if (ordered.includes(one) || above.includes(one.name)) return;
    for (const needed of services.filter(({ name }) => one.dependsOn.includes(name))) add(needed, [...above, one.name]);
    ordered.push(one);
  };
  for (const one of services) add(one, []);
  return ordered;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.replace(/[.:]$/, '');
}

/** A project's configuration as Compose itself reads its files. */
import { z } from 'zod';
import { refuse } from '../failures.ts';
import type { ComposeCli } from './cli.ts';
import type { Project } from './options.ts';

const service = z.object({
  container_name: z.string().optional(),
  image: z.string().optional(),
  environment: z.record(z.string(), z.string().nullable()).nullish(),
  ports: z
    .array(z.object({ published: z.string().optional(), host_ip: z.string().optional(), target: z.int() }))
    .nullish(),
  depends_on: z.record(z.string(), z.unknown()).nullish(),
  volumes: z
    .array(
      z.object({
        type: z.string(),
        source: z.string().optional(),
        target: z.string(),
        read_only: z.boolean().optional(),
      }),
    )
    .nullish(),
  scale: z.int().optional(),
  deploy: z.object({ replicas: z.int().optional() }).nullish(),
  stop_grace_period: z.string().optional(),
  restart: z.string().optional(),
});
const filledIn = z.object({ name: z.string(), services: z.record(z.string(), service) });

export type ServiceConfiguration = z.output<typeof service>;
/** Every value filled in, so it may hold secrets: never kept, never printed. */
export type Configuration = z.output<typeof filledIn>;

const asWritten = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), z.record(z.string(), z.unknown())),
});
/** `${NAME}` and `env_file` as the files have them, so without what `.env` holds; paths absolute, files merged. */
export type WrittenConfiguration = z.output<typeof asWritten>;

/** Throws `ComposeInvalid` for good where the files are wrong. Changes nothing. */
export async function readConfiguration(cli: ComposeCli, project: Project): Promise<Configuration> {
  return parse(project, filledIn, await print(cli, project, []));
}

/** As `readConfiguration`. What is made of it, and given to Compose in the same folder, means the same. */
export async function readWritten(cli: ComposeCli, project: Project): Promise<WrittenConfiguration> {
  return parse(project, asWritten, await print(cli, project, ['--no-interpolate']));
}

/** Throws `NoService` with the services that there are. */
export function serviceIn<T>({ services, name }: { services: Record<string, T>; name: string }, wanted: string): T {
  const found = services[wanted];
  if (found) return found;
  const known = Object.keys(services).join(', ');
  throw refuse('NoService', `Compose project ${name} has no service "${wanted}"; it has ${known}.`);
}

async function print(cli: ComposeCli, project: Project, words: string[]): Promise<string> {
  return await cli.run(project, ['config', '--format', 'json', ...words]).catch((error) => {
    // The files are on disk, and no other answer comes of reading them again.
    throw error.type === 'ComposeFailed' ? refuse('ComposeInvalid', error.message) : error;
  });
}

function parse<T>(project: Project, schema: z.ZodType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse('ComposeInvalid', `compose config in ${project.folder} printed no JSON, or more than 64 KiB of it.`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Where it is wrong, not what is there: that may be a secret.
  const places = parsed.error.issues.map(({ path, code }) => `${path.join('.')} (${code})`).join(', ');
  throw refuse('ComposeInvalid', `compose config in ${project.folder} printed what Holdpoint cannot read: ${places}.`);
}

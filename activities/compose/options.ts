/** The environment's `instances: { compose: … }`, and which project a slot belongs to. */
import { isAbsolute, posix } from 'node:path';
import { z } from 'zod';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { engineShape } from '../docker/engine-options.ts';
import { refuse } from '../failures.ts';

const absolute = z.string().refine(isAbsolute, { error: 'an absolute folder' });
const projectShape = {
  project: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/, { error: 'lower-case letters, digits, dashes and underscores' })
    .optional()
    .meta({
      description: "Name of the project, as `docker compose ls` shows it. Absent: Compose's own choice.",
      examples: ['shop'],
    }),
  folder: absolute.optional().meta({
    description: "Project folder, absolute: relative files and its `.env` are there. Absent: the first file's.",
    examples: ['/srv/shop'],
  }),
  files: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: "Absent: Compose's own choice in the folder.", examples: [['compose.yaml']] }),
};

interface Place {
  folder?: string | undefined;
  files?: string[] | undefined;
}
const placed = {
  check: ({ folder, files }: Place) => Boolean(folder ?? (files && isAbsolute(files[0]!))),
  error: 'an absolute `folder`, or absolute `files`: where the project is has to be known',
};

const slotProject = z.strictObject(projectShape).refine(placed.check, { error: placed.error });

export const composeOptions = z
  .strictObject({
    ...engineShape,
    service: z
      .string()
      .min(1)
      .meta({
        description: 'The service of the compose file that is deployed; no other one is touched.',
        examples: ['server'],
      }),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(8080)
      .meta({ description: 'Port that the service listens on inside its container.' }),
    ...projectShape,
    projects: z
      .record(z.string(), slotProject)
      .optional()
      .meta({
        description:
          "A project for each slot, instead of one whose service gets a second container. Each publishes its slot's port.",
        examples: [
          {
            blue: { folder: '/srv/shop', files: ['blue.yml'], project: 'shop-blue' },
            green: { folder: '/srv/shop', files: ['green.yml'], project: 'shop-green' },
          },
        ],
      }),
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({
        description: 'How Compose v2 is called. Absent: `docker compose`, else `docker-compose`.',
        examples: [['docker', 'compose']],
      }),
  })
  .refine((given) => (given.projects ? !(given.project ?? given.folder ?? given.files) : placed.check(given)), {
    error: `either \`projects\`, or one project with ${placed.error}`,
  })
  .refine((given) => !(given.engine && given.context), { error: 'either `engine` or `context`' })
  .meta({
    examples: [{ project: 'shop', folder: '/srv/shop', files: ['compose.yaml'], service: 'server', port: 8080 }],
  });
export type ComposeOptions = z.output<typeof composeOptions>;

/** Where Compose finds a project. */
export interface Project {
  /** null: Compose's own choice. */
  name: string | null;
  /** Absolute. */
  folder: string;
  /** Absolute, or relative to `folder`; empty: Compose's own choice. */
  files: string[];
  /** Absolute path of what is read instead of the folder's `.env`. */
  envFile?: string;
}

/** The slot's own project, or the one that all slots share. Throws `NoProject`. */
export function projectOf(options: ComposeOptions, slot: Slot): Project {
  const given = options.projects ? options.projects[slot] : options;
  if (!given) {
    throw refuse(
      'NoProject',
      `compose has no project for slot ${slot}: \`projects\` has ${Object.keys(options.projects!).join(', ')}. Add ${slot}.`,
    );
  }
  const { project, folder, files = [] } = given;
  return { name: project ?? null, folder: folder ?? posix.dirname(files[0]!), files };
}

/**
 * The same project in a release's own folder: its files as of that release, while `.env`, which no release carries,
 * stays the project folder's.
 */
export function projectIn(folder: string, project: Project, hasEnvFile: boolean): Project {
  const files = project.files.map((file) => (isAbsolute(file) ? posix.relative(project.folder, file) : file));
  return { ...project, folder, files, ...(hasEnvFile ? { envFile: posix.join(project.folder, '.env') } : {}) };
}

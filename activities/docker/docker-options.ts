import { z } from 'zod';
import { engineShape } from './engine-options.ts';

const size = z.string().regex(/^\d+[kmg]$/, { error: 'a size such as 256m' });
const text = z.string().min(1);

/** The environment's `instances: { docker: { … } }`. What is silent here is taken over from the running container. */
export const dockerOptions = z
  .strictObject({
    ...engineShape,
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .meta({
        description: "Port that the service listens on inside its container. Absent: the image's only EXPOSE.",
        examples: [8080],
      }),
    publish: z
      .union([z.ipv4(), z.ipv6()])
      .default('127.0.0.1')
      .meta({
        description: "Address of the engine's machine that a slot's port is published on.",
        examples: ['127.0.0.1'],
      }),
    adopt: text.optional().meta({
      description:
        "The container that serves today, which Holdpoint did not make. Absent: the one that publishes a slot's port.",
      examples: ['shop'],
    }),
    networks: z
      .array(text)
      .min(1)
      .optional()
      .meta({ description: 'Networks to join.', examples: [['shop']] }),
    volumes: z
      .array(text)
      .optional()
      .meta({ description: 'Mounts, as `docker run -v` takes them.', examples: [['/srv/shop/uploads:/uploads']] }),
    memory: size.optional().meta({ description: 'Limit of memory.', examples: ['512m'] }),
    cpus: z
      .number()
      .positive()
      .optional()
      .meta({ description: 'Limit of processors.', examples: [1.5] }),
    restart: z
      .enum(['unless-stopped', 'always', 'on-failure', 'no'])
      .optional()
      .meta({
        description: 'What Docker does when the service ends. Default: unless-stopped.',
        examples: ['unless-stopped'],
      }),
    user: text.optional().meta({ description: 'User inside the container.', examples: ['1000:1000'] }),
    hosts: z
      .array(text)
      .optional()
      .meta({ description: 'Lines for /etc/hosts, name:address.', examples: [['db:10.0.0.7']] }),
    init: z
      .boolean()
      .optional()
      .meta({
        description: 'An init process as the first one: for a service that ignores SIGTERM there.',
        examples: [true],
      }),
  })
  .refine((given) => !(given.engine && given.context), { error: 'either `engine` or `context`' })
  .meta({ examples: [{ port: 8080 }] });
export type DockerOptions = z.output<typeof dockerOptions>;

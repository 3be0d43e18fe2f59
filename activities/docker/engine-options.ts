import { isAbsolute } from 'node:path';
import { z } from 'zod';

const url = z
  .string()
  .refine((text) => !text.startsWith('ssh://'), {
    error: 'unix:// or tcp://; a Docker engine on another machine comes with hosts: name that machine as `host`',
    abort: true,
  })
  .refine((text) => /^unix:\/\/\/.+|^tcp:\/\/[^/:]+:\d+$/.test(text), {
    error: 'a URL such as unix:///var/run/docker.sock or tcp://10.0.0.5:2376',
  });

/** How to reach a Docker engine; part of the options of every product that runs on one. */
export const engineShape = {
  engine: url.optional().meta({
    description:
      'Where the Docker engine listens. Absent: as the docker command finds it (DOCKER_HOST, else its current context).',
    examples: ['unix:///var/run/docker.sock', 'tcp://10.0.0.5:2376'],
  }),
  context: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "A context of the worker's docker command, instead of `engine`.", examples: ['staging'] }),
  tls: z
    .string()
    .refine(isAbsolute, { error: 'an absolute folder' })
    .optional()
    .meta({
      description: 'Folder with ca.pem, cert.pem and key.pem, for an engine that is reached over TCP.',
      examples: ['/etc/holdpoint/docker'],
    }),
};

/** What of a product's options says where its engine is. */
export const engineOptions = z.object(engineShape);
export type EngineOptions = z.output<typeof engineOptions>;

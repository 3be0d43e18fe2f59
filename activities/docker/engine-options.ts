import { isAbsolute } from 'node:path';
import { z } from 'zod';

const url = z
  .string()
  .refine((text) => /^unix:\/\/\/.+|^tcp:\/\/[^/:]+:\d+$|^ssh:\/\/([^@/\s]+@)?[^@/\s]+(\/.*)?$/.test(text), {
    error: 'a URL such as unix:///var/run/docker.sock, tcp://10.0.0.5:2376 or ssh://deploy@10.0.0.5',
  });

/** How to reach a Docker engine; part of the options of every product that runs on one. */
export const engineShape = {
  engine: url.optional().meta({
    description:
      'Where the Docker engine listens; where `host` is another machine, a socket there. Absent: as the docker command ' +
      'finds it (DOCKER_HOST, else its current context); on another machine its usual socket.',
    examples: ['unix:///var/run/docker.sock', 'tcp://10.0.0.5:2376', 'ssh://deploy@10.0.0.5'],
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

import type { HostPort } from '../../workflows/ports.ts';
import { fill } from '../../workflows/runbook/fill.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import type { ImageArtifact } from '../../workflows/runbook/schema.ts';
import { createEngine } from '../docker/engine.ts';
import { engineOptions } from '../docker/engine-options.ts';
import type { Secrets } from '../secrets/index.ts';

export interface ArtifactPlace {
  target: Target;
  /** The runbook's: relative paths start there. */
  folder: string;
  /** The machine that it is made available on. */
  site: { host: HostPort; secrets: Secrets };
}

/** An image's repository, and the engine that pulls or builds it: the one that the instances run on. */
export function imagePlace({ image, credentials }: ImageArtifact, { target, folder, site }: ArtifactPlace) {
  return {
    engine: createEngine(
      engineOptions.parse(target.instances.options),
      // What is asked for here is never a port of its own.
      target.host.kind === 'local' ? null : { host: site.host, address: '127.0.0.1' },
    ),
    repository: fill(image, { target: target.name }),
    credentials: credentials ? async () => (await site.secrets.resolve([credentials]))[credentials]! : null,
    folder,
  };
}

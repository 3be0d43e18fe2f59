import { fill } from '../../workflows/runbook/fill.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import type { ImageArtifact } from '../../workflows/runbook/schema.ts';
import { createEngine } from '../docker/engine.ts';
import { engineOptions } from '../docker/engine-options.ts';
import type { Site } from '../site.ts';

export interface ArtifactPlace {
  target: Target;
  /** The runbook's: relative paths start there. */
  folder: string;
  site: Site;
}

/** An image's repository, and the engine that pulls or builds it: the one that the instances run on. */
export function imagePlace({ image, credentials }: ImageArtifact, { target, folder, site }: ArtifactPlace) {
  return {
    engine: createEngine(engineOptions.parse(target.instances.options)),
    repository: fill(image, { target: target.name }),
    credentials: credentials ? async () => (await site.secrets.resolve([credentials]))[credentials]! : null,
    folder,
  };
}

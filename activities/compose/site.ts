/** What every verb on a Compose project needs. */
import type { HostPort } from '../../workflows/ports.ts';
import type { Slot, Target } from '../../workflows/runbook/plan.ts';
import { createEngine, type Engine } from '../docker/engine.ts';
import { type Owner, ownerOf } from '../docker/labels.ts';
import { type ComposeCli, createComposeCli } from './cli.ts';
import { readConfiguration } from './configuration.ts';
import { createServiceContainers, type ServiceContainers } from './containers.ts';
import { type ComposeOptions, type Project, projectOf } from './options.ts';
import { createStoredFiles, type StoredFiles } from './stored-files.ts';

export interface ComposeSite {
  target: Target;
  options: ComposeOptions;
  owner: Owner;
  host: HostPort;
  engine: Engine;
  cli: ComposeCli;
  containers: ServiceContainers;
  stored: StoredFiles;
  /** With its name: as given, or as Compose computes it. Throws `ComposeInvalid` where it has to be asked and cannot say. */
  project(slot: Slot): Promise<Project & { name: string }>;
}

/** Opens nothing yet. */
export function composeSite(target: Target, host: HostPort, options: ComposeOptions): ComposeSite {
  const engine = createEngine(options);
  const cli = createComposeCli({ host, engine, command: options.command });
  const ownProjects = options.projects !== undefined;
  const names = new Map<string, string>();
  return {
    target,
    options,

    owner: ownerOf(target),
    host,
    engine,
    cli,
    containers: createServiceContainers({ engine, service: options.service, ports: target.ports, ownProjects }),
    stored: createStoredFiles(host, target.folder),
    async project(slot) {
      const project = projectOf(options, slot);
      const known = project.name ?? names.get(slot);
      const name = known ?? (await readConfiguration(cli, project)).name;
      names.set(slot, name);
      return { ...project, name };
    },
  };
}

/** Old images of one repository. */
import type { ImageInfo } from 'dockerode';
import type { Evidence } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import type { Engine } from './engine.ts';
import { label } from './labels.ts';
import { familiar, parseReference } from './reference.ts';
import { removeForGood } from './remove.ts';

/** Images by version, in natural order of the versions. */
export async function localVersions(engine: Engine, repository: string): Promise<Map<string, ImageInfo>> {
  const filters = { reference: [familiar(repository)] };
  const images = await engine.ask(`list images of ${repository}`, (docker) => docker.listImages({ filters }));
  const tagged = images.flatMap((image) =>
    (image.RepoTags ?? [])
      .map(parseReference)
      .filter((one) => one.repository === familiar(repository) && one.tag !== null && one.tag !== '<none>')
      .map(({ tag }) => [tag!, image] as const),
  );
  return new Map(tagged.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

/**
 * Keeps the `keep` images that were built last, those of `inUse`, and every one that a container was made of. Others
 * lose their tag, and go where nothing else names them. May run twice. Evidence: removed, kept.
 */
export async function prune(engine: Engine, repository: string, keep: number, inUse: Release[]): Promise<Evidence> {
  const versions = await localVersions(engine, repository);
  // Of those built in the same second the later name is the newer.
  const newest = [...versions]
    .reverse()
    .sort(([, a], [, b]) => b.Created - a.Created)
    .slice(0, keep);
  const kept = new Set([...newest.map(([version]) => version), ...inUse.map(({ version }) => version)]);
  const used = await imagesInUse(engine, inUse);
  const old = [...versions].filter(([version, { Id }]) => !kept.has(version) && !used.has(Id));
  for (const [version, { Id }] of old) {
    await removeCommands(engine, Id);
    const name = `${repository}:${version}`;
    // 409: somebody has made a container of it since.
    await engine.ask(`remove ${name}`, (docker) => docker.getImage(name).remove(), { 404: null, 409: null });
  }
  return { removed: old.map(([version]) => version).join(', ') || null, kept: versions.size - old.length };
}

async function imagesInUse(engine: Engine, inUse: Release[]): Promise<Set<string>> {
  const containers = await engine.ask('list containers', (docker) => docker.listContainers({ all: true }));
  const running = containers
    .filter((one) => one.State === 'running' || !isCommand(one.Labels))
    .map(({ ImageID }) => ImageID);
  const pinned = new Set(inUse.map(({ image }) => image));
  const images = await engine.ask('list images', (docker) => docker.listImages());
  const named = images.filter(({ Id, RepoDigests }) => pinned.has(Id) || RepoDigests?.some((one) => pinned.has(one)));
  return new Set([...running, ...named.map(({ Id }) => Id)]);
}

function isCommand(labels: Record<string, string> | undefined): boolean {
  return labels?.[label.job] !== undefined || labels?.[label.once] !== undefined;
}

/** Those of workers that died: ended, and nobody will ask for them again. */
async function removeCommands(engine: Engine, image: string): Promise<void> {
  const filters = { ancestor: [image], status: ['created', 'exited', 'dead'] };
  const found = await engine.ask('list containers', (docker) => docker.listContainers({ all: true, filters }));
  for (const { Id, Labels } of found) if (isCommand(Labels)) await removeForGood(engine, Id);
}

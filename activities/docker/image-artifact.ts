/** Releases that are images of one repository; the version is the tag, the digest is what is deployed. */
import type { ArtifactPort, Evidence } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import { type CredentialsSource, credentialsFor } from './credentials.ts';
import type { Engine } from './engine.ts';
import { answerOf, failureOf } from './failures.ts';
import { imageOf } from './find-containers.ts';
import { localVersions, prune } from './prune.ts';
import { pull } from './pull.ts';
import { familiar, isLocalName } from './reference.ts';
import { registryFailure } from './registry-failure.ts';
import { pinned } from './running-release.ts';

export interface ImageArtifact {
  engine: Engine;
  /** Without tag. */
  repository: string;
  credentials: CredentialsSource;
  /** Of the runbook: where commands beside the image run. */
  folder: string;
}

/**
 * Asks the registry through the engine, so that what the engine may pull is what is found. `list` gives what the engine
 * has: registries need not list their tags.
 */
export function createImageArtifact(artifact: ImageArtifact): ArtifactPort {
  const { engine, repository, credentials, folder } = artifact;
  return {
    list: async () => [...(await localVersions(engine, repository)).keys()],
    async find(version) {
      const image = await find(artifact, version);
      return image === null ? null : { version, folder, image };
    },
    async fetch(release, signal) {
      const image = release.image ?? `${repository}:${release.version}`;
      if (image.startsWith('sha256:')) return await there(engine, release, image);
      const evidence = await pull(engine, image, credentials, signal);
      if (image.includes('@')) await tag(engine, image, repository, release.version);
      return evidence;
    },
    prune: (keep, inUse) => prune(engine, repository, keep, inUse),
  };
}

/** Pinned; of an image that no registry has its id; null where nobody has it. */
async function find(artifact: ImageArtifact, version: string): Promise<string | null> {
  const { engine, repository } = artifact;
  const local = await imageOf(engine, `${repository}:${version}`);
  const own = local && !pinned(local, repository) ? local.Id : null;
  // Built here under a name that no registry of ours can have: nobody is asked.
  if (own && isLocalName(repository)) return own;
  const digest = await digestOf(artifact, version);
  return digest === null ? own : `${familiar(repository)}@${digest}`;
}

/** By the registry; null where it has no such tag. Throws `RegistryForbids`, and `RegistryDown` which may pass. */
async function digestOf({ engine, repository, credentials }: ImageArtifact, version: string): Promise<string | null> {
  const reference = `${repository}:${version}`;
  const authconfig = await credentialsFor(repository, credentials);
  try {
    const { Descriptor } = await engine.docker.getImage(reference).distribution(authconfig ? { authconfig } : {});
    return Descriptor.digest;
  } catch (error) {
    const answer = answerOf(error);
    if (!answer) throw failureOf(error, `ask for ${reference}`, engine.url);
    const failure = registryFailure(reference, answer.message);
    if (failure) throw failure;
    return null;
  }
}

/** An image that only the engine has cannot be fetched from anywhere. */
async function there(engine: Engine, { version }: Release, image: string): Promise<Evidence> {
  if (await imageOf(engine, image)) return { image, pulled: false };
  throw refuse(
    'ImageMissing',
    `Docker at ${engine.url} no longer has the image of ${version} (${image}). Build it again.`,
  );
}

/** What is pulled by its digest has no tag, and would not be found among the versions. */
async function tag(engine: Engine, image: string, repo: string, version: string): Promise<void> {
  await engine.ask(`tag ${image}`, (docker) => docker.getImage(image).tag({ repo, tag: version }));
}

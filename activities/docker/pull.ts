import type { Evidence } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { type CredentialsSource, credentialsFor } from './credentials.ts';
import type { Engine } from './engine.ts';
import { answerOf, failureOf } from './failures.ts';
import { imageOf } from './find-containers.ts';
import { bytesOf, errorIn, follow, type ProgressEvent } from './progress.ts';
import { registryFailure } from './registry-failure.ts';

/**
 * Pulls a pinned image, `repository@sha256:…`, unless the engine has it. May run twice. Evidence: image, pulled, bytes, ms.
 * @throws `ImageMissing` where the registry has it no more, `RegistryForbids`; worth another try: `RegistryDown`
 */
export async function pull(
  engine: Engine,
  image: string,
  credentials: CredentialsSource,
  signal: AbortSignal,
): Promise<Evidence> {
  const began = Date.now();
  if (await imageOf(engine, image)) return { image, pulled: false };
  const events = await transfer(engine, image, credentials, signal);
  if (!(await imageOf(engine, image))) throw notYet('PullIncomplete', `${image} is not there after it was pulled.`);
  return { image, pulled: true, bytes: bytesOf(events), ms: Date.now() - began };
}

async function transfer(engine: Engine, image: string, credentials: CredentialsSource, signal: AbortSignal) {
  const authconfig = await credentialsFor(image, credentials);
  const events = await begin(engine, image, authconfig).then((stream) => follow(engine, stream, signal));
  const error = errorIn(events);
  if (error !== null) throw refused(image, error);
  return events as ProgressEvent[];
}

async function begin(engine: Engine, image: string, authconfig: object | undefined): Promise<NodeJS.ReadableStream> {
  try {
    return await engine.docker.createImage(authconfig ?? {}, { fromImage: image });
  } catch (error) {
    const answer = answerOf(error);
    throw answer ? refused(image, answer.message) : failureOf(error, `pull ${image}`, engine.url);
  }
}

function refused(image: string, message: string): Error {
  const missing = () => refuse('ImageMissing', `The registry no longer has ${image}: ${message}. Release it again.`);
  return registryFailure(image, message) ?? missing();
}

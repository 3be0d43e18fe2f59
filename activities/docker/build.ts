/** Builds a release's image, after its tests, and pushes it. */
import { isAbsolute, join } from 'node:path';
import type { Evidence, HostPort, Writer } from '../../workflows/ports.ts';
import type { Build } from '../../workflows/runbook/schema.ts';
import { notYet, refuse } from '../failures.ts';
import { buildContext } from './build-context.ts';
import { type CredentialsSource, credentialsFor } from './credentials.ts';
import type { Engine } from './engine.ts';
import { imageOf } from './find-containers.ts';
import { label } from './labels.ts';
import { bytesOf, errorIn, follow, type ProgressEvent } from './progress.ts';
import { registryFailure } from './registry-failure.ts';

export interface BuildRequest {
  repository: string;
  version: string;
  build: Build;
  /** Of the runbook, absolute, on the worker's machine. */
  folder: string;
  /** For the tests. */
  env: Record<string, string>;
  credentials: CredentialsSource;
  writer: Writer;
  signal: AbortSignal;
}

const shownLines = 20;

/**
 * Tests, builds `repository:version`, pushes. May run twice: what this step has built is not built again.
 * Evidence: image (pinned, or the id of one that is not pushed), built, ms, pushedBytes.
 * @throws `TestsFailed`, `BuildFailed`, `RegistryForbids`; worth another try: `RegistryDown`
 */
export async function buildImage(engine: Engine, host: HostPort, request: BuildRequest): Promise<Evidence> {
  const { repository, version, build } = request;
  const began = Date.now();
  const reference = `${repository}:${version}`;
  const before = await imageOf(engine, reference);
  const isBuilt = before?.Config.Labels?.[label.key] === request.writer.key;
  if (!isBuilt) {
    await runTests(host, request);
    await make(engine, request, reference);
  }
  const made = { version, built: !isBuilt };
  if (!build.push) return { ...made, image: (await imageOf(engine, reference))!.Id, ms: Date.now() - began };
  const { digest, bytes } = await push(engine, request);
  return { ...made, image: `${repository}@${digest}`, pushedBytes: bytes, ms: Date.now() - began };
}

function contextOf({ folder, build }: BuildRequest): string {
  return isAbsolute(build.context) ? build.context : join(folder, build.context);
}

async function runTests(host: HostPort, request: BuildRequest): Promise<void> {
  const { build, env, signal, version } = request;
  if (!build.test) return;
  const {
    exitCode,
    signal: by,
    stdout,
    stderr,
  } = await host.exec(build.test, { cwd: contextOf(request), env, signal });
  if (exitCode === 0) return;
  throw refuse(
    'TestsFailed',
    `${build.test.join(' ')} ended with ${exitCode ?? by}, so ${version} was not built. Its last lines:\n` +
      lastLines(stdout + stderr),
  );
}

async function make(engine: Engine, request: BuildRequest, reference: string): Promise<void> {
  const { build, writer, version, signal } = request;
  const folder = contextOf(request);
  const options = {
    t: reference,
    dockerfile: build.dockerfile,
    buildargs: build.args,
    // Of a build that fails nothing is left, either.
    forcerm: true,
    labels: { [label.key]: writer.key, [label.release]: version },
  };
  const stream = await engine.ask(`build ${reference}`, async (docker) =>
    docker.buildImage(await buildContext(folder, build.dockerfile), options),
  );
  const events = await follow(engine, stream, signal);
  const error = errorIn(events);
  if (error === null) return;
  const hint = /BuildKit/i.test(error) ? ' This engine builds without BuildKit here.' : '';
  throw refuse('BuildFailed', `${reference} cannot be built: ${error}.${hint} Its last lines:\n${printed(events)}`);
}

async function push(engine: Engine, request: BuildRequest): Promise<{ digest: string; bytes: number }> {
  const { repository, version, credentials, signal } = request;
  const reference = `${repository}:${version}`;
  // The engine asks for some, even where the registry wants none.
  const authconfig = (await credentialsFor(repository, credentials)) ?? { username: '', password: '' };
  const stream = await engine.ask(`push ${reference}`, (docker) =>
    docker.getImage(repository).push({ tag: version, authconfig }),
  );
  const events = await follow(engine, stream, signal);
  const error = errorIn(events);
  if (error !== null)
    throw registryFailure(reference, error) ?? notYet('PushFailed', `${reference} was not pushed: ${error}`);
  const digest = events.map(({ aux }) => aux?.Digest).find((found) => found !== undefined);
  if (digest) return { digest, bytes: bytesOf(events) };
  throw notYet('PushFailed', `${reference} was pushed, but the registry gave no digest.`);
}

function printed(events: ProgressEvent[]): string {
  return lastLines(events.map(({ stream }) => stream ?? '').join(''));
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-shownLines).join('\n');
}

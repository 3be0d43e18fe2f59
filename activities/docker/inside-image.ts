/** The inside of a release's image, as its own tools see it. Nothing that is done there stays. */
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { Container } from 'dockerode';
import type { CommandResult, Inside } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { OutputTail } from '../commands/output.ts';
import { refuse } from '../failures.ts';
import { commandContainer } from './container-spec.ts';
import { answerOf, failureOf, isNoSuchCommand } from './failures.ts';
import type { Containers, Place } from './find-containers.ts';
import { entriesOf } from './image-files.ts';
import { onceLabels, withContainer } from './once.ts';

type ImagePlace = Place & { containers: Containers };
type ExecOptions = Parameters<Inside['exec']>[1];

const graceSeconds = 2;
const mostLinks = 8;

/**
 * Commands run in a new container of the image, with the service's networks and mounts. Files are those of the image;
 * a relative path starts at its WORKDIR. Writing is refused.
 */
export function insideImage(place: ImagePlace, release: Release): Inside {
  const readOnly = (path: string) => {
    const why = `${path} cannot be changed: it is inside the image of ${release.version}, which stays as it is.`;
    return Promise.reject(refuse('ImageIsReadOnly', why));
  };
  return {
    exec: (command, options) => exec(place, imageName(release), command, options),
    read: (path) => read(place, imageName(release), path),
    list: (path) => list(place, imageName(release), path),
    write: readOnly,
    remove: readOnly,
  };
}

function imageName({ image, version }: Release): string {
  if (image) return image;
  throw refuse('ImageMissing', `Release ${version} has no image to look into.`);
}

/** @throws `NoSuchCommand` where the image has none; rejects with the signal's reason once the command has ended */
async function exec(
  place: ImagePlace,
  image: string,
  command: string[],
  { cwd, env = {}, signal }: ExecOptions,
): Promise<CommandResult> {
  const { engine, owner, containers, options } = place;
  signal?.throwIfAborted();
  const folder = cwd === undefined ? undefined : await absolutePath(place, image, cwd);
  const more = { command, env, cwd: folder, labels: onceLabels(owner) };
  const created = commandContainer(image, await containers.model(), options, more);
  return await withContainer(engine, owner, created, async (container) => {
    const stop = () => void container.stop({ t: graceSeconds }).catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    const result = await runToEnd(place, container, command).finally(() => signal?.removeEventListener('abort', stop));
    signal?.throwIfAborted();
    return result;
  });
}

async function runToEnd({ engine }: ImagePlace, container: Container, command: string[]): Promise<CommandResult> {
  const stdout = new OutputTail();
  const stderr = new OutputTail();
  // Before it starts, so that nothing it prints is missed.
  const both = { stream: true, stdout: true, stderr: true };
  const stream = await engine.ask('attach to a command', () => container.attach(both));
  engine.docker.modem.demuxStream(
    stream,
    { write: (chunk: Buffer) => stdout.add(chunk) } as never,
    { write: (chunk: Buffer) => stderr.add(chunk) } as never,
  );
  const over = new Promise<void>((resolve) =>
    stream
      .once('close', resolve)
      .once('end', resolve)
      .once('error', () => resolve()),
  );
  await container.start().catch((error: unknown) => {
    (stream as unknown as Readable).destroy();
    if (!isNoSuchCommand(answerOf(error))) throw failureOf(error, `run ${command[0]}`, engine.url);
    throw refuse('NoSuchCommand', `${command[0]} cannot be run in the image: ${answerOf(error)!.message}`);
  });
  const { StatusCode } = await engine.ask(`wait for ${command[0]}`, () => container.wait());
  await over;
  const { State } = await engine.ask(`look at ${command[0]}`, () => container.inspect());
  const memory = State.OOMKilled ? '\n[ended by Docker: out of memory]' : '';
  return { exitCode: StatusCode, signal: null, stdout: stdout.text(), stderr: stderr.text() + memory };
}

async function read(place: ImagePlace, image: string, path: string, links = 0): Promise<string | null> {
  const absolute = await absolutePath(place, image, path);
  const [entry] = (await archive(place, image, absolute)) ?? [];
  if (entry?.link === undefined) return entry?.content ?? null;
  if (links === mostLinks) return null;
  return await read(place, image, posix.resolve(posix.dirname(absolute), entry.link), links + 1);
}

async function list(place: ImagePlace, image: string, path: string): Promise<string[]> {
  const entries = (await archive(place, image, `${await absolutePath(place, image, path)}/.`)) ?? [];
  const names = entries.map(({ name }) => posix.normalize(name).split('/')[0]!).filter((name) => name !== '.');
  return [...new Set(names)].sort();
}

/** null where there is nothing of that path. */
async function archive({ engine, owner }: ImagePlace, image: string, path: string) {
  const create = { Image: image, Cmd: ['true'], Labels: onceLabels(owner), HostConfig: { NetworkMode: 'none' } };
  return await withContainer(engine, owner, { create, alsoJoin: {} }, async (container) => {
    const stream = await engine.ask(`read ${path}`, () => container.getArchive({ path }), { 404: null });
    return stream && (await entriesOf(stream));
  });
}

async function absolutePath({ engine }: ImagePlace, image: string, path: string): Promise<string> {
  if (posix.isAbsolute(path)) return path;
  const { Config } = await engine.ask(`look at image ${image}`, (docker) => docker.getImage(image).inspect());
  return posix.resolve(Config.WorkingDir || '/', path);
}

/** Where archives come from: files of the worker's machine, or URLs that it can reach. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveArtifact } from '../../workflows/runbook/schema.ts';
import { isMissing, namesIn } from '../commands/files.ts';
import { notYet, refuse } from '../failures.ts';
import { withTemporaryFile } from './temporary-file.ts';
import { versionsAmong } from './versions.ts';

export interface Archive {
  path: string;
  bytes: number;
  /** 64 hex digits. */
  sha256: string;
}

export interface ArchiveSource {
  /** In natural order; empty where nobody can list them. */
  versions(): Promise<string[]>;
  /** Whether there is one. Throws `WrongChecksum`, and what is worth another try where nobody answers. */
  has(version: string): Promise<boolean>;
  /** Its checksum where that costs no journey; else null. */
  digest(version: string): Promise<string | null>;
  /** It as a file, checked. Throws `UnknownRelease`, `WrongChecksum`. */
  use<T>(version: string, signal: AbortSignal, work: (archive: Archive) => Promise<T>): Promise<T>;
}

export function sourceOf(artifact: ArchiveArtifact): ArchiveSource {
  return isUrl(artifact.archive) ? urlSource(artifact) : fileSource(artifact);
}

export function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

function fileSource({ archive, sha256 }: ArchiveArtifact): ArchiveSource {
  /** null where there is no such file. */
  async function look(version: string): Promise<Archive | null> {
    const path = withVersion(archive, version);
    const file = await stat(path).catch((error) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (!file?.isFile()) return null;
    const digest = await digestOf(path, `${path}|${file.size}|${file.mtimeMs}|${file.ino}`);
    const wanted = await wantedDigest(sha256, `${archive}.sha256`, version, path);
    if (wanted !== null && wanted !== digest) throw wrongChecksum(path, wanted, digest);
    return { path, bytes: file.size, sha256: digest };
  }

  return {
    versions: async () => versionsAmong(await namesIn(dirname(archive)), basename(archive)),
    has: async (version) => (await look(version)) !== null,
    digest: async (version) => (await look(version))?.sha256 ?? null,
    async use(version, _signal, work) {
      const found = await look(version);
      if (!found) throw unknown(version, withVersion(archive, version));
      return await work(found);
    },
  };
}

function urlSource({ archive, sha256 }: ArchiveArtifact): ArchiveSource {
  async function wanted(version: string): Promise<string> {
    const url = withVersion(archive, version);
    const digest = await wantedDigest(sha256, null, version, url);
    if (digest === null) throw unknown(version, withVersion(sha256 ?? url, version));
    return digest;
  }

  return {
    versions: async () => [],
    async has(version) {
      const url = withVersion(archive, version);
      return (await ask(url, 'HEAD', AbortSignal.timeout(answerMs))) !== null;
    },
    digest: async () => null,
    async use(version, signal, work) {
      const url = withVersion(archive, version);
      const digest = await wanted(version);
      const make = (path: string, stop: AbortSignal) => download(url, version, path, digest, stop);
      return await withTemporaryFile(`${url}|${digest}`, make, signal, async (path) => {
        return await work({ path, bytes: (await stat(path)).size, sha256: digest });
      });
    },
  };
}

const answerMs = 30_000;

async function download(url: string, version: string, to: string, wanted: string, signal: AbortSignal): Promise<void> {
  const answer = await ask(url, 'GET', signal);
  if (!answer?.body) throw unknown(version, url);
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(answer.body as never), hashing, createWriteStream(to, { mode: 0o600 }), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw notYet('ArchiveUnreachable', `${url} broke off: ${whyOf(error)}`);
  }
  const digest = hash.digest('hex');
  if (digest !== wanted) throw wrongChecksum(url, wanted, digest);
}

/** null where there is none. */
async function ask(url: string, method: 'GET' | 'HEAD', signal: AbortSignal): Promise<Response | null> {
  const answer = await fetch(url, { method, signal }).catch((error) => {
    throw notYet('ArchiveUnreachable', `${url} does not answer: ${whyOf(error)}`);
  });
  if (answer.ok || (method === 'HEAD' && answer.status === 405)) return answer;
  if (answer.status === 404 || answer.status === 410) return null;
  const problem = answer.status >= 500 || answer.status === 429 ? notYet : refuse;
  throw problem('ArchiveRefused', `${method} ${url} was answered with ${answer.status}. May the worker read it?`);
}

/** null where there is no file that says it. `otherwise` is looked for where the runbook says nothing. */
async function wantedDigest(
  said: string | undefined,
  otherwise: string | null,
  version: string,
  archive: string,
): Promise<string | null> {
  if (said !== undefined && /^[0-9a-f]{64}$/.test(said)) return said;
  const pattern = said ?? otherwise;
  if (pattern === null) return null;
  const place = withVersion(pattern, version);
  const text = await textAt(place);
  if (text === null) {
    if (said === undefined || isUrl(place)) return null;
    throw refuse(
      'NoChecksum',
      `${place} is not there, so nobody knows whether ${archive} is whole. Write it beside it.`,
    );
  }
  const rows = text.split('\n').flatMap((line) => /^([0-9a-f]{64})(?:\s+\*?(.*))?$/i.exec(line.trim()) ?? []);
  const own = text.split('\n').find((line) => line.trim().endsWith(basename(archive)));
  const digest = /[0-9a-f]{64}/i.exec(own ?? '')?.[0] ?? rows[1];
  if (digest) return digest.toLowerCase();
  throw refuse('NoChecksum', `${place} holds no SHA-256 of 64 hex digits: write it with sha256sum.`);
}

async function textAt(place: string): Promise<string | null> {
  if (isUrl(place)) return (await (await ask(place, 'GET', AbortSignal.timeout(answerMs)))?.text()) ?? null;
  return await readFile(place, 'utf8').catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
}

/** A fleet asks for one file many times: its checksum is made once. By path, size, time and number of the file. */
const digests = new Map<string, Promise<string>>();

function digestOf(path: string, key: string): Promise<string> {
  const known = digests.get(key);
  if (known) return known;
  const made = (async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  })();
  digests.set(key, made);
  made.catch(() => digests.delete(key));
  return made;
}

function withVersion(pattern: string, version: string): string {
  return pattern.replaceAll('{version}', version);
}

function unknown(version: string, place: string): Error {
  return refuse('UnknownRelease', `There is no ${place}: build ${version} again.`);
}

function wrongChecksum(place: string, wanted: string, digest: string): Error {
  return refuse(
    'WrongChecksum',
    `${place} is not what it should be: its SHA-256 is ${digest}, and should be ${wanted}. Nothing was touched; ` +
      'build or upload it again.',
  );
}

function whyOf(error: unknown): string {
  const { cause, message } = error as Error;
  return (cause as Error | undefined)?.message ?? message;
}

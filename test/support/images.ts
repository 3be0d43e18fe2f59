import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { engine } from './docker-engine.ts';

export interface ReleaseImage {
  /** Repository, with the registry's host where it has one: `127.0.0.1:5000/shop-4f2a`. Unique to the test. */
  repository: string;
  /** Also the tag. */
  version: string;
  /**
   * exits: at once, with 3, after the line `no such table: orders`. unhealthy: never becomes healthy.
   * orders, pages: answers those with 500. deaf: ignores SIGTERM. hungry: takes 512 MB, so end it by a memory limit.
   */
  broken?: 'exits' | 'unhealthy' | 'orders' | 'pages' | 'deaf' | 'hungry';
  /** false: an image that cannot tell whether it is well. */
  healthcheck?: false;
  labels?: Record<string, string>;
  /** More files, by their paths below /app. */
  files?: Record<string, string>;
  /** Absolute paths of more programs, for /usr/bin; of those that are linked with nothing, as dbmate's own is. */
  programs?: string[];
  /** false: a few kB that cannot be run. Pushing the others to an empty registry takes seconds. */
  runs?: false;
}

/**
 * Builds a release of test/fixtures/service as an image, in half a second, and gives its reference
 * `<repository>:<version>`. It listens on port 8080, has Node, sh and bash, and is healthy after about 1 s.
 */
export async function imageOf(release: ReleaseImage): Promise<string> {
  const reference = `${release.repository}:${release.version}`;
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-image-'));
  // The same files would be the same image in all tests, and go for all of them when one removes it.
  const labels = { ...release.labels, 'holdpoint.test': release.repository };
  try {
    writeFileSync(join(folder, 'Dockerfile'), dockerfile(release));
    writeFiles(join(folder, 'files'), release);
    await done(
      await engine().buildImage(
        { context: folder, src: ['.'] },
        { t: reference, labels, nocache: true, forcerm: true },
      ),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  return reference;
}

/** Removes every image of these repositories from the engine, with containers made of them. May run twice. */
export async function removeImages(...repositories: string[]): Promise<void> {
  for (const { Id } of await engine().listImages({ filters: { reference: repositories } })) {
    for (const container of await engine().listContainers({ all: true, filters: { ancestor: [Id] } })) {
      await engine().getContainer(container.Id).remove({ force: true, v: true });
    }
    await engine().getImage(Id).remove({ force: true });
  }
}

function dockerfile({ healthcheck, runs }: ReleaseImage): string {
  const from = runs === false ? 'scratch' : inject('baseImage');
  return [`FROM ${from}`, 'COPY files/ /', ...(healthcheck === false ? ['HEALTHCHECK NONE'] : []), ''].join('\n');
}

function writeFiles(folder: string, { version, broken, runs, files = {}, programs = [] }: ReleaseImage): void {
  const app = { ...files, 'behaviour.json': JSON.stringify({ version, broken }) };
  for (const [path, content] of Object.entries(app)) {
    mkdirSync(dirname(join(folder, 'app', path)), { recursive: true });
    writeFileSync(join(folder, 'app', path), content);
  }
  if (runs !== false) cpSync(service, join(folder, 'app', 'server.mjs'));
  for (const program of programs) cpSync(program, join(folder, 'usr/bin', basename(program)), { dereference: true });
}

/** Waits for the end of what the engine tells about. Throws the error in it. */
export function done(progress: NodeJS.ReadableStream): Promise<ProgressEvent[]> {
  return new Promise((resolve, reject) => {
    engine().modem.followProgress(progress, (error, events) => {
      const failed = error ?? events.find((event: ProgressEvent) => event.error);
      if (failed) reject(error ?? new Error(failed.error));
      else resolve(events);
    });
  });
}

interface ProgressEvent {
  error?: string;
  aux?: { Digest?: string };
}

const service = fileURLToPath(new URL('../fixtures/service/server.mjs', import.meta.url));

import { existsSync } from 'node:fs';
import { type OnProgress, type Part, type PartName, PartNotFound } from './part.ts';
import { isAtLeast } from './probe.ts';

/** How to find one part: the places in order, and how to tell a good one. */
export interface Search {
  name: PartName;
  /** Environment variable that names the program to use; nothing else is tried when it is set. */
  variable: string;
  /** Older ones are passed over. */
  minimum: string;
  /** Paths that this machine may have, best first; ones that do not exist are fine. */
  places: () => string[];
  /** Version of the program at a path; throws why it cannot be used. */
  version: (path: string) => Promise<string>;
  /** What to do when no place has it. */
  download?: Download;
  /** Lines for the error: commands that install it. */
  install: string[];
}

export interface Download {
  /** Path of the program once downloaded. */
  path: string;
  /** For people: what is fetched, and how big it is. */
  what: string;
  /** Puts the program at `path`, whole or not at all. May run twice, also at the same time. */
  fetch: () => Promise<void>;
}

/** Finds the part, downloading it when needed. Throws {@link PartNotFound}. May run twice, also at the same time. */
export async function find(search: Search, onProgress: OnProgress): Promise<Part> {
  const tried: string[] = [];
  const attempt = async (path: string, from: Part['from']): Promise<Part | undefined> => {
    try {
      const version = await search.version(path);
      if (isAtLeast(version, search.minimum)) return { path, version, from };
      tried.push(`${path}: ${version} is older than ${search.minimum}`);
    } catch (error) {
      tried.push(`${path}: ${(error as Error).message}`);
    }
    return undefined;
  };
  const part =
    (await fromEnvironment(search, attempt, tried)) ??
    (await fromPlaces(search, attempt)) ??
    (await fromDownload(search, attempt, tried, onProgress));
  if (part) return part;
  throw new PartNotFound(search.name, tried, [`${search.variable}=<path>`, ...search.install]);
}

type Attempt = (path: string, from: Part['from']) => Promise<Part | undefined>;

async function fromEnvironment(search: Search, attempt: Attempt, tried: string[]): Promise<Part | undefined> {
  const path = process.env[search.variable];
  if (!path) {
    tried.push(`$${search.variable}: not set`);
    return undefined;
  }
  const part = await attempt(path, 'environment');
  // Whoever names a program wants that one: another one instead would be a silent surprise.
  if (!part) throw new PartNotFound(search.name, tried, [`a ${search.variable} that names a working one, or none`]);
  return part;
}

async function fromPlaces(search: Search, attempt: Attempt): Promise<Part | undefined> {
  for (const path of new Set(search.places())) {
    const part = existsSync(path) ? await attempt(path, 'path') : undefined;
    if (part) return part;
  }
  return undefined;
}

async function fromDownload(
  { name, download }: Search,
  attempt: Attempt,
  tried: string[],
  onProgress: OnProgress,
): Promise<Part | undefined> {
  if (!download) return undefined;
  const cached = existsSync(download.path) ? await attempt(download.path, 'cache') : undefined;
  if (cached) return cached;
  onProgress(`${name}: getting ${download.what}`);
  try {
    await download.fetch();
  } catch (error) {
    tried.push(`download of ${download.what}: ${(error as Error).message}`);
    return undefined;
  }
  return attempt(download.path, 'downloaded');
}

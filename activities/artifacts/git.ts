/**
 * Releases as checkouts of a repository: a mirror beside the markers, and a worktree for each commit that was deployed,
 * `<folder>/releases/<commit>`. Going back is the former worktree.
 */
import { posix } from 'node:path';
import type { ArtifactPort, HostPort } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { demandSpace } from './disk-space.ts';
import { createCarriedMirror, createMirror } from './git-mirror.ts';
import { makeWhole, pruneReleases, type Recipe } from './releases-folder.ts';

export interface GitOptions extends Recipe {
  /** The repository is a folder on the worker's machine, and the target is another one. */
  carried?: boolean;
}

/** `repository`: an absolute folder, or a URL. `folder`: the target's. Needs git at the target. */
export function gitArtifact(
  repository: string,
  folder: string,
  host: HostPort,
  { carried = false, ...recipe }: GitOptions = {},
): ArtifactPort {
  const mirror = (carried ? createCarriedMirror : createMirror)(repository, folder, host);
  const releases = posix.join(folder, 'releases');

  async function find(version: string): Promise<Release | null> {
    const commit = await mirror.resolve(version);
    return commit === null ? null : { version, folder: posix.join(releases, commit) };
  }

  async function fetch(release: Release, signal: AbortSignal) {
    const commit = posix.basename(release.folder);
    const { version } = release;
    const builds = recipe.build !== undefined;
    const { made, lines } = await makeWhole({
      ...recipe,
      host,
      folder,
      release,
      signal,
      note: { commit },
      check: () => demandSpace({ host, folder, version, bytes: null, builds }),
      async unpack(half) {
        await mirror.bring(commit, signal);
        await mirror.git('worktree', 'prune');
        await mirror.git('worktree', 'add', '--quiet', '--force', '--detach', half, commit);
      },
      async move(half, to) {
        await mirror.git('worktree', 'move', half, to);
      },
    });
    return { commit, checkedOut: made, built: lines };
  }

  async function prune(keep: number, inUse: Release[]) {
    const used = await Promise.all(inUse.map(checkoutOf));
    // The mirror hears of it before its next checkout: a machine that gets copies has none.
    return { removed: await pruneReleases(host, folder, keep, used) };
  }

  /** One whose folder nobody knew is named by its version alone. */
  async function checkoutOf({ version, folder: where }: Release): Promise<string> {
    const name = posix.basename(where);
    return /^[0-9a-f]{40,64}$/.test(name) ? name : ((await mirror.resolve(version)) ?? name);
  }

  return { list: () => mirror.tags(), find, fetch, prune };
}

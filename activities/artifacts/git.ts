/**
 * Releases as checkouts of a repository: a mirror beside the markers, and a worktree for each commit that was deployed,
 * `<folder>/releases/<commit>`. Going back is the former worktree.
 */
import { posix } from 'node:path';
import type { ArtifactPort, CommandResult, HostPort } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { notYet, refuse } from '../failures.ts';

/** `repository`: an absolute folder, or a URL. `folder`: the target's. Needs git at the target. */
export function gitArtifact(repository: string, folder: string, host: HostPort): ArtifactPort {
  const mirror = posix.join(folder, 'repository.git');
  const releases = posix.join(folder, 'releases');
  const git = (...args: string[]) => host.exec(['git', '-C', mirror, ...args], { env: { GIT_TERMINAL_PROMPT: '0' } });

  let mirroring: Promise<void> | null = null;
  /** Once: planning lists, finds and checks out in one look. */
  const mirrored = () => {
    mirroring ??= bringUpToDate();
    return mirroring;
  };

  /** Half a clone is under another name. */
  async function bringUpToDate(): Promise<void> {
    if ((await host.read(posix.join(mirror, 'HEAD'))) !== null) {
      demand(await git('remote', 'set-url', 'origin', repository), repository);
      demand(await git('remote', 'update', '--prune'), repository);
      return;
    }
    const half = `${mirror}.${process.pid}.${Date.now()}`;
    const env = { GIT_TERMINAL_PROMPT: '0' };
    demand(await host.exec(['mkdir', '-p', folder], {}), repository);
    demand(await host.exec(['git', 'clone', '--quiet', '--mirror', repository, half], { env }), repository);
    demand(await host.exec(['mv', '-T', half, mirror], {}), repository);
  }

  async function find(version: string): Promise<Release | null> {
    await mirrored();
    const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${version}^{commit}`);
    const commit = found.stdout.trim();
    return found.exitCode === 0 ? { version, folder: posix.join(releases, commit) } : null;
  }

  async function fetch({ folder: where }: Release) {
    const commit = posix.basename(where);
    if ((await host.list(where)).length > 0) return { commit, checkedOut: false };
    await mirrored();
    const half = `${where}.${process.pid}.${Date.now()}`;
    demand(await git('worktree', 'prune'), repository);
    demand(await git('worktree', 'add', '--quiet', '--force', '--detach', half, commit), repository);
    demand(await git('worktree', 'move', half, where), repository);
    return { commit, checkedOut: true };
  }

  async function prune(keep: number, inUse: Release[]) {
    const used = [...new Set(inUse.map((release) => posix.basename(release.folder)))];
    const checkouts = demand(await host.exec(['ls', '-t', releases], {}), releases)
      .stdout.split('\n')
      .filter(Boolean);
    const old = checkouts.filter((commit) => !used.includes(commit)).slice(Math.max(0, keep - used.length));
    for (const commit of old) await git('worktree', 'remove', '--force', posix.join(releases, commit));
    return { removed: old.length };
  }

  return {
    async list() {
      await mirrored();
      const tags = demand(await git('tag', '--list', '--sort=version:refname'), repository);
      return tags.stdout.split('\n').filter(Boolean);
    },
    find,
    fetch,
    prune,
  };
}

function demand(result: CommandResult, what: string): CommandResult {
  if (result.exitCode === 0) return result;
  const said = result.stderr.trim().split('\n').slice(-3).join('; ');
  if (/could not resolve host|timed out|connection refused/i.test(said)) {
    throw notYet('RepositoryUnreachable', `${what} cannot be reached: ${said}`);
  }
  throw refuse('GitFailed', `git on ${what} ended with ${result.exitCode}: ${said}`);
}

/**
 * A repository as a machine has it: a mirror beside the markers, which the machine itself keeps up to date. Of a
 * repository that only the worker's machine has, the commits are carried there as a bundle.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { CommandResult, HostPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { createLocalHost } from '../hosts/local.ts';
import { diskFull, saysFull } from './disk-space.ts';
import { withTemporaryFile } from './temporary-file.ts';
import { withUpload } from './with-upload.ts';

export interface Mirror {
  /** git with these words, in the mirror. Throws `GitFailed`, `DiskFull`, `RepositoryUnreachable`. */
  git(...args: string[]): Promise<CommandResult>;
  /** The commit that a tag, a branch or a commit means now; null where there is none. Changes nothing but the mirror. */
  resolve(version: string): Promise<string | null>;
  /** In git's order of versions. Changes nothing but the mirror. */
  tags(): Promise<string[]>;
  /** Brings the commit to the mirror. Throws `CommitUnreachable`. */
  bring(commit: string, signal: AbortSignal): Promise<void>;
}

/** Asks nobody, and waits half a minute for who is silent. */
const env = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_HTTP_LOW_SPEED_LIMIT: '1',
  GIT_HTTP_LOW_SPEED_TIME: '30',
};
const resolving = ['rev-parse', '--verify', '--quiet', '--end-of-options'];
const tagging = ['tag', '--list', '--sort=version:refname'];

/** `repository`: an absolute folder, or a URL, both as the machine sees them. `folder`: the target's. Needs git there. */
export function createMirror(repository: string, folder: string, host: HostPort): Mirror {
  const mirror = posix.join(folder, 'repository.git');
  const inMirror = (...args: string[]) => host.exec(['git', '-C', mirror, ...args], { env });
  const git = async (...args: string[]) => demandGit(await inMirror(...args), repository, host);

  let mirroring: Promise<void> | null = null;
  /** Once: planning lists, finds and checks out in one look. */
  const mirrored = () => {
    mirroring ??= bringUpToDate().catch((error) => {
      mirroring = null;
      throw error;
    });
    return mirroring;
  };

  /** Half a clone is under another name. */
  async function bringUpToDate(): Promise<void> {
    if ((await host.read(posix.join(mirror, 'HEAD'))) !== null) {
      await git('remote', 'set-url', 'origin', repository);
      await git('remote', 'update', '--prune');
      return;
    }
    const half = `${mirror}.${process.pid}.${Date.now()}`;
    demandGit(await host.exec(['mkdir', '-p', folder], {}), repository, host);
    demandGit(await host.exec(['git', 'clone', '--quiet', '--mirror', repository, half], { env }), repository, host);
    demandGit(await host.exec(['mv', '-T', half, mirror], {}), repository, host);
  }

  return {
    git,
    async resolve(version) {
      await mirrored();
      return commitIn(await inMirror(...resolving, `${version}^{commit}`));
    },
    async tags() {
      await mirrored();
      return linesOf(await git(...tagging));
    },
    async bring(commit) {
      // Going back to what is there needs nobody else.
      if ((await inMirror('cat-file', '-e', `${commit}^{commit}`)).exitCode !== 0) await mirrored();
    },
  };
}

/** The same of `repository`, an absolute folder on the worker's machine, for another machine. */
export function createCarriedMirror(repository: string, folder: string, host: HostPort): Mirror {
  const here = createLocalHost();
  const mirror = posix.join(folder, 'repository.git');
  const inMirror = (...args: string[]) => host.exec(['git', '-C', mirror, ...args], { env });
  const atHome = (...args: string[]) => here.exec(['git', '-C', repository, ...args], { env });
  const git = async (...args: string[]) => demandGit(await inMirror(...args), repository, host);
  const gitHere = async (...args: string[]) => demandGit(await atHome(...args), repository, here);
  const isThere = async (commit: string) => (await inMirror('cat-file', '-e', `${commit}^{commit}`)).exitCode === 0;

  async function bring(commit: string, signal: AbortSignal): Promise<void> {
    if (await isThere(commit)) return;
    demandGit(await host.exec(['git', 'init', '--quiet', '--bare', mirror], { env }), repository, host);
    const without = await known(linesOf(await git('for-each-ref', '--format=%(objectname)')));
    const key = createHash('sha256')
      .update([repository, commit, ...without].join('\n'))
      .digest('hex');
    const make = (path: string) => gitHere('bundle', 'create', '--quiet', path, '--all', '--not', ...without);
    await withTemporaryFile(key, make, signal, (bundle) =>
      withUpload({ host, folder, signal }, bundle, (arrived) =>
        git('fetch', '--quiet', '--force', arrived, '+refs/*:refs/*'),
      ),
    );
    if (await isThere(commit)) return;
    throw refuse(
      'CommitUnreachable',
      `${commit} of ${repository} is on no branch and has no tag, so it cannot be carried to ${host.name}. Give it one.`,
    );
  }

  /** Of what the machine has, what need not be carried again. */
  async function known(commits: string[]): Promise<string[]> {
    const distinct = [...new Set(commits)].sort();
    const input = distinct.map((commit) => `${commit}\n`).join('');
    const checked = await here.exec(['git', '-C', repository, 'cat-file', '--batch-check'], { env, input });
    return linesOf(checked).flatMap((line) => /^([0-9a-f]+) (?:commit|tag) /.exec(line)?.[1] ?? []);
  }

  return {
    git,
    async resolve(version) {
      await gitHere('rev-parse', '--git-dir');
      return commitIn(await atHome(...resolving, `${version}^{commit}`));
    },
    tags: async () => linesOf(await gitHere(...tagging)),
    bring,
  };
}

function commitIn({ exitCode, stdout }: CommandResult): string | null {
  return exitCode === 0 ? stdout.trim() : null;
}

function linesOf({ stdout }: CommandResult): string[] {
  return stdout.split('\n').filter(Boolean);
}

function demandGit(result: CommandResult, repository: string, host: HostPort): CommandResult {
  if (result.exitCode === 0) return result;
  const said = result.stderr.trim().split('\n').slice(-3).join('; ');
  if (/could not resolve host|timed out|connection refused/i.test(said)) {
    throw notYet('RepositoryUnreachable', `${repository} cannot be reached from ${host.name}: ${said}`);
  }
  if (/cannot lock ref|unable to update local ref|\.lock'?: File exists|Directory not empty/i.test(said)) {
    throw notYet('RepositoryBusy', `another git is at work on ${repository} on ${host.name}: ${said}`);
  }
  if (saysFull(said)) throw diskFull(host, 'the mirror', said);
  throw refuse('GitFailed', `git on ${repository} ended with ${result.exitCode} on ${host.name}: ${said}`);
}

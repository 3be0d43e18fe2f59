/**
 * Releases on a machine: `<target's folder>/releases/<name>`, each whole or marked as not yet.
 *
 * What is found                 | what it means                                  | what happens
 * folder, `<name>.built`        | it is whole                                    | nothing
 * folder, `<name>.building`     | its files are there, its build is not over     | the build goes on
 * folder alone                  | it is whole, or was there before it had a build| what there is to build is built
 * no folder                     | nothing, or half of it under a hidden name     | it is made, then moved there
 *
 * `.building` holds the name of this making, under which its build lines run once. A lost line leaves nobody knows what
 * in the folder: it is made anew.
 */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { CommandResult, HostPort } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { notYet, refuse } from '../failures.ts';
import { runBuildLines } from './build-lines.ts';
import { diskFull, saysFull } from './disk-space.ts';

/** What a release gets beside its own files. */
export interface Recipe {
  build?: string[][] | undefined;
  /** `once`: what is made here is copied to other machines. */
  built?: 'once' | undefined;
  shared?: string[] | undefined;
}

export interface Making extends Recipe {
  host: HostPort;
  /** The target's. */
  folder: string;
  release: Release;
  signal: AbortSignal;
  /** Throws before anything is written where it cannot be made. */
  check(): Promise<void>;
  /** Puts its files into `half`, which is not there yet, and which `move` brings to the release's folder. */
  unpack(half: string): Promise<void>;
  move?(half: string, to: string): Promise<void>;
  /** Stands in the marker of a whole one. */
  note: Record<string, string>;
}

/** Builds that somebody or something ended from outside, before a person has to look. */
const mostLost = 1;

// $1 a file, $2 what is in it unless it is there. Prints what is in it.
const writeOnce = `
mkdir -p "\${1%/*}" || exit
printf '%s\\n' "$2" > "$1.$$" || exit
ln "$1.$$" "$1" 2> /dev/null
rm -f "$1.$$"
cat "$1"
`;
// $1 a half release, $2 the shared folder, $3 `once` where copies are made of it, then the paths. What the release brings
// along is the first content; for copies it stays in the release, under a name of its own. A name with a dot in it is a
// file's, unless it ends with a slash.
const linkShared = `
half=$1 shared=$2 once=$3
shift 3
for path do
  own=$half/\${path%/} kept=$shared/\${path%/} first=$half/.holdpoint-shared/\${path%/}
  if [ -e "$first" ]; then rm -rf "$own" && cp -a "$first" "$own" || exit
  elif [ "$once" ] && [ -e "$own" ]; then mkdir -p "\${first%/*}" && cp -a "$own" "$first" || exit
  fi
  mkdir -p "\${own%/*}" "\${kept%/*}" || exit
  if [ ! -e "$kept" ] && [ ! -L "$kept" ]; then
    if [ -e "$own" ]; then mv -T "$own" "$kept" || [ -e "$kept" ] || exit
    else
      case $path in
        */) mkdir -p "$kept" ;;
        *) case \${path##*/} in *.*) (umask 077; : >> "$kept") ;; *) mkdir -p "$kept" ;; esac ;;
      esac || exit
    fi
  fi
  rm -rf "$own" && ln -s "$kept" "$own" || exit
done
`;
// $1 the releases, $2 a name. Out of the way in one go: half a folder would look like a release.
const removeOne = `
[ ! -e "$1/$2" ] || mv -T "$1/$2" "$1/.old-$2-$$" || exit
rm -f "$1/$2.built" "$1/$2.building" || exit
rm -rf "$1/.old-$2-"*
`;
// $1 the releases: what attempts left half that nobody works on any more.
const removeHalves = `
[ -d "$1" ] || exit 0
find "$1" -mindepth 1 -maxdepth 1 \\( -name '.half-*' -o -name '.old-*' \\) -mmin +1440 -exec rm -rf {} +
`;

/**
 * Makes the release whole on this machine; `made` is false where it was. May run twice, and beside another attempt.
 * Throws `BuildFailed`, `DiskFull`, and what `check` and `unpack` throw.
 */
export async function makeWhole(making: Making): Promise<{ made: boolean; lines: number }> {
  const { host, folder, release, build: lines = [], signal } = making;
  const { built, building } = markersOf(release);
  for (let left = mostLost; ; left--) {
    const [begun, files] = await Promise.all([host.read(building), host.list(release.folder)]);
    // After the other, which goes once this one is there: another attempt may just now get to its end.
    const whole = await host.read(built);
    const isThere = files.length > 0;
    if (isThere && (whole !== null || (begun === null && lines.length === 0))) return { made: false, lines: 0 };
    if (!isThere) await making.check();
    if (whole !== null) await host.remove(built);
    const id = begun ?? (await firstWriter(host, building, isThere ? 'found' : randomBytes(6).toString('hex')));
    if (!isThere) await moveIn(making);
    const complete = await runBuildLines({ host, folder, release, lines, id: id.trim(), signal });
    if (complete) {
      const note = { version: release.version, ...making.note };
      await host.write(built, `${JSON.stringify(note)}\n`, 0o644);
      await host.remove(building);
      return { made: true, lines: lines.length };
    }
    if (left === 0) throw lostAgain(making);
    // Never one that was there before it had a build: it may serve.
    if (id.trim() !== 'found') await removeRelease(host, folder, posix.basename(release.folder));
  }
}

async function moveIn({ host, folder, release, shared, built, unpack, move, signal }: Making): Promise<void> {
  const half = posix.join(
    posix.dirname(release.folder),
    `.half-${posix.basename(release.folder)}-${randomBytes(6).toString('hex')}`,
  );
  try {
    await unpack(half);
    if (shared) {
      const words = [half, posix.join(folder, 'shared'), built ?? '', ...shared];
      await demand(host, folder, ['sh', '-c', linkShared, 'holdpoint', ...words], signal);
    }
    if (move) await move(half, release.folder);
    else await demand(host, folder, ['mv', '-T', half, release.folder], signal);
  } catch (error) {
    await host.exec(['rm', '-rf', half], {}).catch(() => {});
    // Another attempt may have come first.
    if ((await host.list(release.folder)).length === 0) throw error;
  }
}

async function firstWriter(host: HostPort, file: string, content: string): Promise<string> {
  const words = ['sh', '-c', writeOnce, 'holdpoint', file, content];
  return (await demand(host, posix.dirname(file), words)).stdout;
}

/** Names of releases that are whole, or were there before. Empty where there is none. */
export async function releasesIn(host: HostPort, folder: string): Promise<string[]> {
  const names = await host.list(posix.join(folder, 'releases'));
  const isWhole = (name: string) => names.includes(`${name}.built`) || !names.includes(`${name}.building`);
  return names.filter((name) => isRelease(name) && isWhole(name));
}

/** What the marker of a whole one says; null where there is none. */
export async function noteOf(host: HostPort, release: Release): Promise<Record<string, string> | null> {
  const text = await host.read(markersOf(release).built);
  return text === null ? null : JSON.parse(text);
}

/** Keeps the newest `keep` of them and those `inUse`; removes older ones, and what killed attempts left. May run twice. */
export async function pruneReleases(host: HostPort, folder: string, keep: number, inUse: string[]): Promise<number> {
  const releases = posix.join(folder, 'releases');
  const used = new Set(inUse);
  const newest = (await host.exec(['ls', '-t', releases], {})).stdout.split('\n').filter(isRelease);
  const old = newest.filter((name) => !used.has(name)).slice(Math.max(0, keep - used.size));
  for (const name of old) await removeRelease(host, folder, name);
  await demand(host, folder, ['sh', '-c', removeHalves, 'holdpoint', releases]);
  return old.length;
}

export async function removeRelease(host: HostPort, folder: string, name: string): Promise<void> {
  await demand(host, folder, ['sh', '-c', removeOne, 'holdpoint', posix.join(folder, 'releases'), name]);
}

/** Runs it to its end. Throws `DiskFull`, or `ReleaseFailed` with what it said. */
export async function demand(
  host: HostPort,
  folder: string,
  command: string[],
  signal?: AbortSignal,
): Promise<CommandResult> {
  const result = await host.exec(command, signal ? { signal } : {});
  if (result.exitCode === 0) return result;
  const said = result.stderr.trim().split('\n').slice(-3).join('; ');
  if (saysFull(said)) throw diskFull(host, folder, said);
  const tool = command[0] === 'sh' ? 'a script' : command[0];
  if (result.signal)
    throw notYet('ReleaseFailed', `${tool} in ${folder} on ${host.name} was ended by ${result.signal}.`);
  throw refuse('ReleaseFailed', `${tool} in ${folder} on ${host.name} ended with ${result.exitCode}: ${said}`);
}

function lostAgain({ host, release }: Making): Error {
  return refuse(
    'BuildLost',
    `The build of ${release.version} was ended from outside on ${host.name}, twice. Is it out of memory? Look, then retry.`,
  );
}

function markersOf({ folder }: Release): { built: string; building: string } {
  return { built: `${folder}.built`, building: `${folder}.building` };
}

function isRelease(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/\.(built|building)(\.\d+)?$/.test(name);
}

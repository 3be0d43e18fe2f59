/** Releases as tar archives, unpacked on each machine: `<folder>/releases/<version>`. Going back is the former folder. */
import { posix } from 'node:path';
import type { ArtifactPort, HostPort } from '../../workflows/ports.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import type { ArchiveArtifact } from '../../workflows/runbook/schema.ts';
import { refuse } from '../failures.ts';
import { sourceOf } from './archive-source.ts';
import { demandSpace } from './disk-space.ts';
import { makeWhole, noteOf, pruneReleases, releasesIn } from './releases-folder.ts';
import { unpack } from './unpack.ts';
import { inNaturalOrder } from './versions.ts';

/** With absolute paths, or URLs. `folder`: the target's. Needs tar at the target, and what it unpacks with. */
export function archiveArtifact(artifact: ArchiveArtifact, folder: string, host: HostPort): ArtifactPort {
  const source = sourceOf(artifact);
  const { build, built, shared } = artifact;
  const at = (version: string): Release => ({ version, folder: posix.join(folder, 'releases', version) });

  async function list(): Promise<string[]> {
    return inNaturalOrder([...(await releasesIn(host, folder)), ...(await source.versions())]);
  }

  async function find(version: string): Promise<Release | null> {
    // It is the name of a folder.
    if (!/^\w[^/\0]*$/.test(version)) return null;
    const release = at(version);
    if ((await releasesIn(host, folder)).includes(version)) {
      await refuseChanged(release);
      return release;
    }
    return (await source.has(version)) ? release : null;
  }

  /** A version is one archive for ever. */
  async function refuseChanged(release: Release): Promise<void> {
    const [there, now] = [(await noteOf(host, release))?.sha256, await source.digest(release.version)];
    if (!there || !now || there === now) return;
    throw refuse(
      'ReleaseChanged',
      `${release.version} was unpacked on ${host.name} from another archive (SHA-256 ${there}, now ${now}). ` +
        'Give what is new another version.',
    );
  }

  async function fetch(release: Release, signal: AbortSignal) {
    const { version } = release;
    if ((await noteOf(host, release)) !== null && (await host.list(release.folder)).length > 0) {
      await refuseChanged(release);
      return { unpacked: false, built: 0 };
    }
    return await source.use(version, signal, async (archive) => {
      const { bytes, sha256 } = archive;
      const { made, lines } = await makeWhole({
        build,
        built,
        shared,
        host,
        folder,
        release,
        signal,
        note: { sha256 },
        check: () => demandSpace({ host, folder, version, bytes, builds: build !== undefined }),
        unpack: (half) => unpack(archive.path, half, { host, folder, signal }),
      });
      return { unpacked: made, built: lines, bytes, sha256 };
    });
  }

  async function prune(keep: number, inUse: Release[]) {
    const used = inUse.map((release) => posix.basename(release.folder));
    return { removed: await pruneReleases(host, folder, keep, used) };
  }

  return { list, find, fetch, prune };
}

import { isAbsolute, resolve } from 'node:path';
import type { ArtifactPort } from '../../workflows/ports.ts';
import { fill } from '../../workflows/runbook/fill.ts';
import type { Release, Target } from '../../workflows/runbook/plan.ts';
import type { ArchiveArtifact, Artifact } from '../../workflows/runbook/schema.ts';
import { createImageArtifact } from '../docker/image-artifact.ts';
import { archiveArtifact } from './archive.ts';
import { isUrl } from './archive-source.ts';
import { folderArtifact, folderRelease } from './folder.ts';
import { gitArtifact } from './git.ts';
import { type ArtifactPlace, imagePlace } from './image-place.ts';

/** Where the releases of a target come from: of a fleet's machine, for that machine. */
export function artifactOf(artifact: Artifact, place: ArtifactPlace): ArtifactPort {
  const { target, folder, site } = place;
  if ('folder' in artifact) return folderArtifact(filled(artifact.folder, target), folder, site.host);
  if ('archive' in artifact) return archiveArtifact(archiveFor(artifact, target), target.folder, site.host);
  if ('git' in artifact) {
    const { git, ...recipe } = artifact;
    const carried = isAbsolute(git) && target.host.kind !== 'local';
    return gitArtifact(git, target.folder, site.host, { ...recipe, carried });
  }
  return createImageArtifact(imagePlace(artifact, place));
}

/** A version that runs or ran here, without asking where it came from. `folder` is the runbook's. */
export function releaseOf(artifact: Artifact, target: Target, folder: string) {
  return (version: string, image?: string): Release => {
    if ('folder' in artifact) return folderRelease(filled(artifact.folder, target), folder, version);
    if ('git' in artifact || 'archive' in artifact) return { version, folder: `${target.folder}/releases/${version}` };
    return { version, folder, image: image ?? `${filled(artifact.image, target)}:${version}` };
  };
}

/** `{version}` is the artifact's own to fill. */
function filled(text: string, { name }: Target): string {
  return fill(text, { target: name, version: '{version}' });
}

function archiveFor({ sha256, ...artifact }: ArchiveArtifact, target: Target): ArchiveArtifact {
  const archive = filled(artifact.archive, target);
  return { ...artifact, archive, ...(sha256 !== undefined && { sha256: filled(sha256, target) }) };
}

/** With every path in it absolute, so that the plan says where things are. `folder` is the runbook's. */
export function absolute(artifact: Artifact, folder: string): Artifact {
  if ('folder' in artifact) return { folder: resolve(folder, artifact.folder) };
  if ('image' in artifact) return artifact;
  if ('archive' in artifact) {
    const { archive, sha256 } = artifact;
    const place = (text: string) => (isUrl(text) ? text : resolve(folder, text));
    const isPlace = sha256?.includes('{version}');
    return { ...artifact, archive: place(archive), ...(isPlace && { sha256: place(sha256!) }) };
  }
  const isElsewhere = isAbsolute(artifact.git) || /^[\w.+-]+(:\/\/|@)/.test(artifact.git);
  return isElsewhere ? artifact : { ...artifact, git: resolve(folder, artifact.git) };
}

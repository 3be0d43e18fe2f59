/** Which release a container runs, and its image, pinned. */
import type { ContainerInspectInfo, ImageInspectInfo } from 'dockerode';
import { label } from './labels.ts';
import { familiar, parseReference } from './reference.ts';

/** As Holdpoint labelled it, else the tag it was started from, else any tag of its image, else its digest's beginning. */
export function releaseOf(info: ContainerInspectInfo, image: ImageInspectInfo | null): string {
  const labelled = info.Config.Labels?.[label.release];
  if (labelled) return labelled;
  const { tag } = parseReference(info.Config.Image);
  if (tag && !info.Config.Image.startsWith('sha256:')) return tag;
  const tagged = image?.RepoTags?.map((one) => parseReference(one).tag).find((one) => one !== null);
  return tagged ?? info.Image.replace('sha256:', '').slice(0, 12);
}

/** `repository@sha256:…` where a registry has it, otherwise the image's id. */
export function pinnedImage(info: ContainerInspectInfo, image: ImageInspectInfo | null): string {
  if (info.Config.Image.includes('@')) return info.Config.Image;
  return (image && pinned(image, parseReference(info.Config.Image).repository)) ?? info.Image;
}

/** null where the engine knows no digest of it in this repository: it was neither pulled nor pushed. */
export function pinned({ RepoDigests }: ImageInspectInfo, repository: string): string | null {
  return RepoDigests?.find((one) => familiar(one).startsWith(`${familiar(repository)}@`)) ?? null;
}

/** Containers that Holdpoint did not start: what they were started from is written down before anything is changed. */
import type { Slot } from '../../workflows/runbook/plan.ts';
import { imageOf } from '../docker/find-containers.ts';
import { pinnedImage, releaseOf } from '../docker/running-release.ts';
import { readWritten } from './configuration.ts';
import { type Container, isOurs } from './containers.ts';
import { adoptedFile } from './release-file.ts';
import type { ComposeSite } from './site.ts';

/** May run twice: what is written already is left, since the project's files may be the next release's by now. */
export async function adopt(site: ComposeSite): Promise<void> {
  for (const slot of Object.keys(site.target.ports)) {
    const { name } = await site.project(slot);
    const found = (await site.containers.inSlot(name, slot)).find((one) => !isOurs(one));
    if (found) await writeDown(site, slot, found);
  }
}

async function writeDown({ engine, stored, cli, options, ...site }: ComposeSite, slot: Slot, found: Container) {
  const image = await imageOf(engine, found.Image);
  const release = releaseOf(found, image);
  if (await stored.read(slot, release)) return;
  const written = await readWritten(cli, await site.project(slot));
  await stored.write(slot, release, adoptedFile(written, options.service, pinnedImage(found, image)));
}

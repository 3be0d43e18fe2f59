import type { Evidence } from '../../workflows/ports.ts';
import type { ActionOf } from '../../workflows/runbook/actions.ts';
import { refuse } from '../failures.ts';
import type { Site } from '../site.ts';

/** The release's folder is there and holds something, and every secret resolves. Changes nothing. */
export async function checkRelease(site: Site, { release, secrets }: ActionOf<'check-release'>): Promise<Evidence> {
  const files = await site.host.list(release.folder);
  if (files.length === 0) {
    throw refuse(
      'UnknownRelease',
      `the release folder ${release.folder} is empty or gone: build ${release.version} again`,
    );
  }
  await site.secrets.resolve(secrets);
  return { folder: release.folder, files: files.length, secrets: secrets.length };
}

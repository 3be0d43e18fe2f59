import { caddy } from './caddy.ts';
import { chromium } from './chromium.ts';
import { dbmate } from './dbmate.ts';
import { find, type Search } from './find.ts';
import type { OnProgress, Part, PartName } from './part.ts';
import { postgres } from './postgres.ts';
import { temporal } from './temporal.ts';

export { type Part, type PartName, PartNotFound } from './part.ts';

const searches: Record<PartName, Search> = { temporal, caddy, postgres, dbmate, chromium };

/**
 * A real program, working and new enough: the one named by `$HOLDPOINT_<NAME>_BIN`, else one on PATH or in a usual
 * place, else one downloaded into the cache folder, now or earlier. Throws {@link PartNotFound}, whose message
 * names the commands that install it. May run twice, also at the same time.
 */
export function findPart(name: PartName, onProgress: OnProgress = () => {}): Promise<Part> {
  return find(searches[name], onProgress);
}

import { caddy } from './caddy.ts';
import { chromium } from './chromium.ts';
import { compose } from './compose.ts';
import { dbmate } from './dbmate.ts';
import { docker } from './docker.ts';
import { find, type Search } from './find.ts';
import { haproxy } from './haproxy.ts';
import { mmdebstrap } from './mmdebstrap.ts';
import { nginx } from './nginx.ts';
import type { OnProgress, Part, PartName } from './part.ts';
import { postgres } from './postgres.ts';
import { prometheus } from './prometheus.ts';
import { registry } from './registry.ts';
import { sshd } from './sshd.ts';
import { temporal } from './temporal.ts';
import { traefik } from './traefik.ts';

export { type Part, type PartName, PartNotFound } from './part.ts';

const searches: Record<PartName, Search> = {
  temporal,
  caddy,
  postgres,
  dbmate,
  chromium,
  nginx,
  haproxy,
  traefik,
  prometheus,
  docker,
  compose,
  registry,
  mmdebstrap,
  sshd,
};

/**
 * A real program, working and new enough: the one named by `$HOLDPOINT_<NAME>_BIN`, else one on PATH or in a usual
 * place, else one downloaded into the cache folder or, by root on Debian, installed, now or earlier. Throws {@link PartNotFound}, whose message
 * names the commands that install it. May run twice, also at the same time.
 */
export function findPart(name: PartName, onProgress: OnProgress = () => {}): Promise<Part> {
  return find(searches[name], onProgress);
}

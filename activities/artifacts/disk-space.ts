import type { HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';

const mebi = 1024 * 1024;
/** What nobody can know of a first release. */
const firstRelease = 50 * mebi;
const firstBuild = 100 * mebi;

// $1 the target's folder. The space where it is or would be, and the newest release there, in KiB.
const script = `
there=$1
until [ -d "$there" ]; do there=$(dirname "$there"); done
df -Pk "$there" || exit
cd "$1/releases" 2> /dev/null || exit 0
for name in $(ls -t); do
  [ -d "$name" ] && [ ! -L "$name" ] && { du -sk "$name"; exit 0; }
done
exit 0
`;

export interface Wanted {
  host: HostPort;
  /** The target's. */
  folder: string;
  version: string;
  /** Of the archive; null where only the former releases tell how large this one gets. */
  bytes: number | null;
  /** Whether anything is built in it. */
  builds: boolean;
}

/**
 * Throws `DiskFull`, not to be retried, unless there is room for twice what is known of the release, and for what is
 * built in it. Changes nothing.
 */
export async function demandSpace({ host, folder, version, bytes, builds }: Wanted): Promise<void> {
  const { stdout } = await host.exec(['sh', '-c', script, 'holdpoint', folder], {});
  const [, row = '', size = ''] = stdout.split('\n');
  const free = Number(row.trim().split(/\s+/).at(-3)) * 1024;
  const newest = Number.parseInt(size, 10) * 1024 || null;
  if (Number.isNaN(free)) return;
  const margin = builds ? (newest ?? firstBuild) : 0;
  const needed = bytes === null ? (newest ? 2 * newest : firstRelease + margin) : 2 * bytes + margin;
  if (free >= needed) return;
  throw diskFull(host, folder, `${version} needs ${inWords(needed)}, and there are ${inWords(free)} free`);
}

export function diskFull(host: HostPort, folder: string, why: string): Error {
  return refuse(
    'DiskFull',
    `There is no room in ${folder} on ${host.name}: ${why}. Free some, or lower rollout.keep, then retry.`,
  );
}

/** Whether a tool said so in the middle of its work. */
export function saysFull(text: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(text);
}

function inWords(bytes: number): string {
  return bytes < mebi ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / mebi).toFixed(1)} MiB`;
}

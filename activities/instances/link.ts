/**
 * Releases that are live as soon as a link points at them: PHP behind its own server, static files, scripts that cron
 * starts. `<folder>/<slot>` is the link, switched atomically; nothing is started or stopped.
 */
import { posix } from 'node:path';
import { z } from 'zod';
import type { Evidence, HostPort, InstanceState, InstancesPort } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import type { InstancesContext } from './context.ts';

export const linkInstances: ProductKind<InstancesPort, InstancesContext> = {
  options: z.strictObject({}),
  create: createLinks,
};

// $1 link, $2 folder. In one go for whoever looks: a rename over the link.
const pointAt = '[ -d "$2" ] || exit 3; rm -f "$1.$$"; ln -sn "$2" "$1.$$" && mv -T "$1.$$" "$1"';

/** What the newest switch was about: the link itself only knows a folder. */
interface Mark {
  release: string;
  folder: string;
}

function createLinks({ target, host, address }: InstancesContext): InstancesPort {
  const linkOf = (slot: Slot) => posix.join(target.folder, slot);
  const markOf = (slot: Slot) => posix.join(target.folder, 'slots', `${slot}.json`);

  async function observe(slot: Slot): Promise<InstanceState | null> {
    const found = await pointsTo(host, linkOf(slot));
    if (found === null) return null;
    const text = await host.read(markOf(slot));
    const mark: Mark | null = text === null ? null : JSON.parse(text);
    const known = mark?.folder === found.folder;
    return {
      release: known ? mark.release : posix.basename(found.folder),
      port: target.ports[slot]!,
      running: found.there,
      ...(!known && { foreign: true as const }),
    };
  }

  /** The mark first: a link that points elsewhere than it says is not believed to be that release. */
  async function switchTo(slot: Slot, { release }: InstanceSpec): Promise<Evidence> {
    const mark: Mark = { release: release.version, folder: release.folder };
    await host.write(markOf(slot), `${JSON.stringify(mark)}\n`);
    const { exitCode, stderr } = await host.exec(['sh', '-c', pointAt, 'holdpoint', linkOf(slot), release.folder], {});
    if (exitCode === 0) return { release: release.version };
    const why = exitCode === 3 ? `there is no folder ${release.folder}` : stderr.trim();
    throw refuse('LinkFailed', `${linkOf(slot)} on ${host.name} cannot point at ${release.version}: ${why}`);
  }

  return {
    observe,
    async ensureRunning(slot, spec) {
      const there = await observe(slot);
      if (there?.running && there.release !== spec.release.version) {
        throw refuse(
          'SlotTaken',
          `${slot} on ${host.name} points at ${there.release}: it is switched by strategy reload`,
        );
      }
      return switchTo(slot, spec);
    },
    ensureReloaded: switchTo,
    async ensureStopped(slot) {
      await host.remove(linkOf(slot));
      return { end: 'the link is gone' };
    },
    tail: async () => '',
    address: (slot) => `http://${address}:${target.ports[slot]}`,
    health: async (slot) => ((await observe(slot))?.running ? 'healthy' : 'unhealthy'),
    logs: async () => [],
    jobs: host.jobs(target.folder),
    inside: () => host,
    notices: async () => [],
  };
}

/** null where there is no link. */
async function pointsTo(host: HostPort, link: string): Promise<{ folder: string; there: boolean } | null> {
  const script = 'readlink "$1" && { [ -d "$1" ] && echo there || echo gone; }';
  const { exitCode, stdout } = await host.exec(['sh', '-c', script, 'holdpoint', link], {});
  if (exitCode !== 0) return null;
  const [folder = '', there] = stdout.split('\n');
  return { folder, there: there === 'there' };
}

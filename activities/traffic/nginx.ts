import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { HostPort } from '../../workflows/ports.ts';
import { sharesOf } from '../../workflows/runbook/buckets.ts';
import { type NginxInput, nginxConf, nginxFingerprint } from '../../workflows/runbook/nginx-conf.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { sampleRequests } from './access-log.ts';
import { connectionsTo } from './connections.ts';
import type { TrafficContext } from './context.ts';
import { fileMoves, servedBuckets } from './nginx-buckets.ts';
import { askBuckets, askChoice } from './nginx-front.ts';
import { nginxLog } from './nginx-log.ts';
import { container, front, log, path, reach } from './option-schemas.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';
import { sticky } from './sticky.ts';
import { assertSharable, wantedBuckets } from './wanted-buckets.ts';

/** The environment's `traffic: { kind: nginx, … }`. */
const options = z
  .strictObject({
    front,
    log,
    folder: path.meta({
      description: 'Absolute path of the folder in which Holdpoint keeps its files for nginx; the same for both.',
      examples: ['/var/lib/holdpoint/buckets'],
    }),
    sticky: sticky.optional(),
    container,
    reach,
  })
  .meta({
    examples: [
      { front: 'http://127.0.0.1:8080', log: '/var/log/nginx/shop.log', folder: '/var/lib/holdpoint/buckets' },
    ],
  });
type NginxOptions = z.output<typeof options>;

export const nginx: ProductKind<ProxyPort, TrafficContext> = {
  options,
  create: (context, given) => createNginx({ ...context, options: options.parse(given) }),
};

const switchMs = 5_000;

/**
 * Traffic through nginx, shared by files that it looks for at each request (`nginxConf` is the configuration): never
 * a reload, no lost request, any number of slots. Every function may run twice. Throws `ProxyUnreachable` (worth another
 * try) while nginx is down, `ProxyNotReady` where its configuration is not the one that is needed.
 */
function createNginx({ target, host, options }: TrafficContext & { options: NginxOptions }): ProxyPort {
  const places = placesOf(target);
  const upstreams = upstreamsOf(places, options.reach);
  const slots = Object.keys(upstreams);
  const input: NginxInput = { ...options, upstreams, sticky: options.sticky };
  const accessLog = { host, path: options.log, format: nginxLog };

  async function observe(): Promise<Weights | null> {
    await ready(host, input);
    return sharesOf(servedBuckets(await askBuckets(host, options.front, slots), slots), slots);
  }

  async function setWeights(weights: Weights): Promise<void> {
    const wanted = wantedBuckets(weights, places);
    await ready(host, input);
    await moveFiles(host, options.folder, wanted, slots);
    const deadline = performance.now() + switchMs;
    while (!(await serves(wanted))) {
      if (performance.now() > deadline) throw notSwitched(options);
      await sleep(50);
    }
  }

  /** nginx sees the files of the buckets wanted, and shares a request out by them. */
  async function serves(wanted: Slot[]): Promise<boolean> {
    const served = servedBuckets(await askBuckets(host, options.front, slots), slots);
    const choice = await askChoice(host, options.front);
    if (!choice || choice.slot !== wanted[choice.bucket]) return false;
    return served.every((slot, bucket) => slot === wanted[bucket]);
  }

  function inFlight(slot: Slot): Promise<number> {
    return connectionsTo({ host, container: options.container ?? null, to: upstreams[slot]! });
  }

  async function missing(): Promise<string[]> {
    try {
      assertSharable(places);
      await observe();
      await sampleRequests(accessLog, slots, Date.now(), Date.now());
      await Promise.all(slots.map(inFlight));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  return proxyPort({
    observe,
    setWeights,
    inFlight,
    sample: (wanted, from, to) => sampleRequests(accessLog, wanted, from, to),
    missing,
    notices: async () => [],
    front: () => options.front,
  });
}

async function ready(host: HostPort, input: NginxInput): Promise<void> {
  const choice = await askChoice(host, input.front);
  if (choice?.fingerprint === nginxFingerprint(input)) return;
  const lack = choice
    ? `nginx at ${input.front} has another configuration than this environment says (ports, machines, log, folder, sticky)`
    : `nginx at ${input.front} has no configuration of Holdpoint's, or it is another server that answers there`;
  throw refuse(
    'ProxyNotReady',
    `${lack}. Put this into a file that nginx includes inside of http, such as /etc/nginx/conf.d/holdpoint.conf, ` +
      `in place of what served there, and reload nginx once:\n\n${nginxConf(input)}`,
  );
}

/** Looks first; a call that died half way is gone on with. See {@link fileMoves} for why no request is lost. */
async function moveFiles(host: HostPort, folder: string, wanted: Slot[], slots: Slot[]): Promise<void> {
  const listed = slots.map(async (slot) => [slot, await host.list(join(folder, slot))] as const);
  const { add, remove } = fileMoves(Object.fromEntries(await Promise.all(listed)), wanted, slots);
  const folders = slots.map((slot) => join(folder, slot));
  const paths = (files: string[]) => files.map((file) => join(folder, file));
  // Readable for the user that nginx runs as.
  if (add.length > 0) {
    await done(host, ['install', '-d', '-m', '755', folder, ...folders]);
    await done(host, ['touch', ...paths(add)]);
  }
  if (remove.length > 0) await done(host, ['rm', '-f', ...paths(remove)]);
  await done(host, ['sync', ...folders]);
}

async function done(host: HostPort, command: string[]): Promise<void> {
  const { exitCode, stderr } = await host.exec(command, {});
  if (exitCode === 0) return;
  throw notYet(
    'FolderUnwritable',
    `Cannot change nginx's buckets on ${host.name}: ${command[0]} said ${stderr.trim()}.`,
  );
}

function notSwitched({ front, folder }: NginxOptions): Error {
  return notYet(
    'NotSwitched',
    `nginx at ${front} does not serve what the files in ${folder} say. Is it the same folder for nginx (no container ` +
      'without it, no private /tmp), and may the user that nginx runs as enter it?',
  );
}

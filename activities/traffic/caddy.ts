import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { HostPort } from '../../workflows/ports.ts';
import { sharesOf } from '../../workflows/runbook/buckets.ts';
import {
  bucketsFile,
  bucketsPath,
  bucketUpstreams,
  type CaddyInput,
  caddySite,
  noBuckets,
} from '../../workflows/runbook/caddyfile.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import type { Answer } from '../checks/ask.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { sampleRequests } from './access-log.ts';
import { askProxy } from './ask-proxy.ts';
import { caddyLacks } from './caddy-config.ts';
import { caddyLog } from './caddy-log.ts';
import type { TrafficContext } from './context.ts';
import { front, log, origin, path, reach } from './option-schemas.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';
import { sticky } from './sticky.ts';
import { assertSharable, wantedBuckets } from './wanted-buckets.ts';

/** The environment's `traffic: { caddy: … }`. Paths and URLs are those of the machine where it runs. */
export const options = z
  .strictObject({
    front,
    admin: origin
      .default('http://127.0.0.1:2019')
      .meta({ description: "URL of Caddy's admin endpoint.", examples: ['http://127.0.0.1:2019'] }),
    log,
    folder: path.meta({
      description: 'Absolute path of the folder in which Holdpoint keeps its file for Caddy.',
      examples: ['/var/lib/holdpoint/caddy/shop'],
    }),
    sticky: sticky.optional(),
    reach,
  })
  .meta({
    examples: [
      { front: 'http://127.0.0.1:8080', log: '/var/log/caddy/shop.log', folder: '/var/lib/holdpoint/caddy/shop' },
    ],
  });
type CaddyOptions = z.output<typeof options>;

export const caddy: ProductKind<ProxyPort, TrafficContext> = {
  options,
  create: (context, given) => createCaddy({ ...context, options: options.parse(given) }),
};

const switchMs = 5_000;

/**
 * Traffic through Caddy. Each request belongs to one of 100 buckets, and where a bucket goes is in a file that Caddy
 * reads at each request (`caddySite` is the configuration): no reload, no lost request. Every function may run twice.
 * Throws `ProxyUnreachable` (worth another try) while Caddy is down, `ProxyNotReady` where its configuration is not
 * the one that is needed, `UnsupportedShare` for shares that 100 buckets cannot make.
 */
function createCaddy({ target, host, options }: TrafficContext & { options: CaddyOptions }): ProxyPort {
  const { front, admin, log, folder, sticky } = options;
  const places = placesOf(target);
  const upstreams = upstreamsOf(places, options.reach);
  const slots = Object.keys(upstreams);
  const site: CaddyInput = { front, log, folder, upstreams, sticky };
  const file = join(folder, bucketsFile);
  const accessLog = { host, path: log, format: caddyLog(upstreams) };

  async function observe(): Promise<Weights | null> {
    const served = await servedBuckets(host, site);
    if (served === null) return null;
    const slotOf = new Map(Object.entries(upstreams).map(([slot, upstream]) => [upstream, slot]));
    const shares = sharesOf(
      served.split(' ').map((upstream) => slotOf.get(upstream)),
      slots,
    );
    if (shares) return shares;
    throw refuse(
      'ProxyNotReady',
      `Caddy sends the traffic of ${front} to addresses that are no slots of ${target.name}: ${file} says ` +
        `${[...new Set(served.split(' '))].join(', ')}. Put them back into its \`ports\`, or among its machines.`,
    );
  }

  async function setWeights(weights: Weights): Promise<void> {
    const wanted = wantedBuckets(weights, places)
      .map((slot) => upstreams[slot])
      .join(' ');
    if ((await host.read(file))?.trim() !== wanted) await host.write(file, `${wanted}\n`, 0o644);
    const deadline = performance.now() + switchMs;
    while ((await servedBuckets(host, site)) !== wanted) {
      if (performance.now() > deadline) throw notSwitched(site);
      await sleep(50);
    }
  }

  async function inFlight(slot: Slot): Promise<number> {
    const counts = countsOf(await askAdmin(host, admin, '/reverse_proxy/upstreams'));
    const buckets = bucketUpstreams(upstreams).map((upstream) => counts.get(upstream));
    // What is gone from the configuration is not listed even while it still answers: never take that for zero.
    if (!buckets.every((count) => count !== undefined)) throw unlisted(admin, target.name);
    const to = (slot: Slot) => counts.get(upstreams[slot]!) ?? 0;
    const others = slots.filter((other) => other !== slot);
    // Caddy counts by bucket, exactly, and by address, of which it may lose one in a race: so all less the others'.
    return Math.max(to(slot), sum(buckets) - sum(others.map(to)));
  }

  async function missing(): Promise<string[]> {
    try {
      assertSharable(places);
      const lacks = caddyLacks(await askAdmin(host, admin, '/config/'), site);
      if (lacks.length > 0) return [...lacks, remedy(site)];
      await observe();
      await sampleRequests(accessLog, [], Date.now(), Date.now());
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
    front: () => front,
  });
}

/** Requests in flight by upstream, from Caddy's list of them. */
function countsOf(upstreams: unknown): Map<string, number> {
  if (!Array.isArray(upstreams)) return new Map();
  return new Map(upstreams.map(({ address, num_requests }) => [address, num_requests]));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function unlisted(admin: string, target: string) {
  return notYet(
    'ProxyNotReady',
    `Caddy at ${admin} does not list the 100 buckets of ${target}, so its requests in flight cannot be counted. ` +
      'Put them back into the Caddyfile and reload Caddy.',
  );
}

/** Where each bucket goes as Caddy itself reads it, by the same file as for every other request; null: none yet. */
async function servedBuckets(host: HostPort, site: CaddyInput): Promise<string | null> {
  const { front } = site;
  const answer = await answerOf(host, front + bucketsPath);
  const said = answer.status === 200 ? answer.body.trim() : '';
  if (said === noBuckets) return null;
  if (/^\S+:\d+( \S+:\d+){99}$/.test(said)) return said;
  const what = `${front}${bucketsPath} answered ${answer.status} and named no buckets`;
  if (answer.status >= 500) throw notYet('ProxyUnreachable', `${what}; is Caddy behind something that is down?`);
  throw refuse('ProxyNotReady', `${what}: is this Caddy, with the site that Holdpoint needs? ${remedy(site)}`);
}

function notSwitched({ front, folder }: CaddyInput) {
  return notYet(
    'NotSwitched',
    `Caddy at ${front} does not see what ${folder}/${bucketsFile} says. Can the user that Caddy runs as read it, and ` +
      'is it the same folder for Caddy (no container, no private /tmp)?',
  );
}

function remedy(site: CaddyInput): string {
  return `Put this into the Caddyfile and reload Caddy (2.11.2 or newer):\n\n${caddySite(site)}`;
}

async function askAdmin(host: HostPort, admin: string, path: string): Promise<unknown> {
  const answer = await answerOf(host, admin + path);
  if (answer.status === 200) return JSON.parse(answer.body);
  throw notYet(
    'ProxyUnreachable',
    `Caddy's admin endpoint ${admin}${path} answered ${answer.status}: ${answer.body.trim()}`,
  );
}

function answerOf(host: HostPort, url: string): Promise<Answer> {
  return askProxy(
    host,
    url,
    (why) => `Caddy does not answer at ${url} (${why}); is it running? Start it: caddy run --config Caddyfile`,
  );
}

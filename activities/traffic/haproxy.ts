import { z } from 'zod';
import { sharesOf } from '../../workflows/runbook/buckets.ts';
import { type HaproxyInput, haproxyBackend } from '../../workflows/runbook/haproxy-cfg.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { connectionsTo } from './connections.ts';
import type { TrafficContext } from './context.ts';
import { haproxyLacks, haproxyRemedy } from './haproxy-lacks.ts';
import { readMap, writeMap } from './haproxy-map.ts';
import { readRing, sampleRing } from './haproxy-ring.ts';
import { type Runtime, runtimeAt } from './haproxy-runtime.ts';
import { container, front, path, reach } from './option-schemas.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';
import { sticky } from './sticky.ts';
import { assertSharable, wantedBuckets } from './wanted-buckets.ts';

const address = z.string().regex(/^[A-Za-z0-9.-]+:\d{1,5}$/);

/** The environment's `traffic: { kind: haproxy, … }`. */
const options = z
  .strictObject({
    front,
    socket: z.union([path, address], { error: 'an absolute path, or an address and port' }).meta({
      description: 'Runtime API (`stats socket`), level admin: absolute path of a unix socket, or address and port.',
      examples: ['/run/haproxy/admin.sock', '127.0.0.1:9999'],
    }),
    map: path
      .refine((text) => /\/[A-Za-z0-9][A-Za-z0-9_.-]*\.map$/.test(text), { error: 'a path such as /var/lib/shop.map' })
      .meta({
        description:
          'Absolute path of the file, ending in .map, from which HAProxy loads the shares, and which Holdpoint keeps ' +
          "up to date. Its name names the service's sections in HAProxy, so each service has its own.",
        examples: ['/var/lib/holdpoint/shop.map'],
      }),
    sticky: sticky.optional(),
    container,
    reach,
  })
  .meta({
    examples: [
      { front: 'http://127.0.0.1:8080', socket: '/run/haproxy/admin.sock', map: '/var/lib/holdpoint/shop.map' },
    ],
  });
type HaproxyOptions = z.output<typeof options>;

export const haproxy: ProductKind<ProxyPort, TrafficContext> = {
  options,
  create: (context, given) => createHaproxy({ ...context, options: options.parse(given) }),
};

/**
 * Traffic through HAProxy, shared by a map that its runtime API changes (`haproxySections` is the configuration):
 * never a reload, no lost request, any number of slots. Every function may run twice. Throws `ProxyUnreachable` (worth
 * another try) while HAProxy is down, `ProxyNotReady` where its configuration is not the one that is needed.
 */
function createHaproxy({ target, host, options }: TrafficContext & { options: HaproxyOptions }): ProxyPort {
  const places = placesOf(target);
  const upstreams = upstreamsOf(places, options.reach);
  const slots = Object.keys(upstreams);
  const input: HaproxyInput = { ...options, sticky: options.sticky, upstreams };
  const runtime = runtimeAt(host, options.socket);

  async function inFlight(slot: Slot): Promise<number> {
    // HAProxy counts from the moment that it chose the backend, and connections those of old workers after a reload.
    const queued = await sessions(runtime, input, slot);
    const connected = await connectionsTo({ host, container: options.container ?? null, to: upstreams[slot]! });
    return Math.max(queued, connected);
  }

  async function missing(): Promise<string[]> {
    try {
      assertSharable(places);
      const lacks = await haproxyLacks(runtime, input);
      if (lacks.length === 0) await Promise.all(slots.map(inFlight));
      return lacks;
    } catch (error) {
      return [(error as Error).message];
    }
  }

  return proxyPort({
    observe: async () => sharesOf(await readMap(runtime, input), slots),
    setWeights: async (weights) => writeMap(runtime, host, input, wantedBuckets(weights, places)),
    inFlight,
    sample: async (wanted, from, to) => sampleRing(await readRing(runtime, input), wanted, from, to),
    missing,
    notices: async () => [],
    front: () => options.front,
  });
}

/** As `show stat` counts them for a backend (`scur`): under way, and waiting for its server. */
async function sessions(runtime: Runtime, input: HaproxyInput, slot: Slot): Promise<number> {
  const backend = haproxyBackend(input.map, slot);
  const [titles = '', row = ''] = (await runtime(`show stat ${backend} 2 -1`)).split('\n');
  const count = row.split(',')[titles.split(',').indexOf('scur')];
  if (count) return Number(count);
  throw refuse(
    'ProxyNotReady',
    `HAProxy has no backend ${backend} to count requests in flight of. ${haproxyRemedy(input)}`,
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Place, placesOf } from '../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import {
  type TraefikChild,
  type TraefikInput,
  type TraefikSticky,
  traefikChildren,
  traefikDynamic,
  traefikName,
  traefikStatic,
} from '../../workflows/runbook/traefik-dynamic.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { sampleRequests } from './access-log.ts';
import { connectionsTo } from './connections.ts';
import type { TrafficContext } from './context.ts';
import { container, front, log, origin, path, reach } from './option-schemas.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';
import { sticky } from './sticky.ts';
import { staticLacks, type TraefikState, traefikState } from './traefik-api.ts';
import { isTraefikLog, traefikLog } from './traefik-log.ts';
import { assertSharable, unsupported } from './wanted-buckets.ts';

const traefikSticky = sticky.refine((by): by is TraefikSticky => by === 'address' || 'ownCookie' in by, {
  error:
    "Traefik cannot choose by a header or by the service's own cookie: it only hashes addresses and sets a cookie of " +
    'its own. Use `sticky: { ownCookie: release }` or `sticky: address`',
});

/** The environment's `traffic: { traefik: … }`, for Traefik 3.6 or newer. */
export const options = z
  .strictObject({
    front,
    api: origin
      .default('http://127.0.0.1:8080')
      .meta({ description: "URL of Traefik's API, without a path.", examples: ['http://127.0.0.1:8080'] }),
    file: path
      .refine((text) => /\/[A-Za-z0-9][A-Za-z0-9_-]*\.ya?ml$/.test(text), {
        error: 'a path that ends in .yml or .yaml',
      })
      .meta({
        description: 'Absolute path of the file that Holdpoint writes, in the folder that Traefik watches.',
        examples: ['/etc/traefik/dynamic/shop.yml'],
      }),
    log,
    rule: z
      .string()
      .min(1)
      .default('PathPrefix(`/`)')
      .meta({
        description: "Which requests are this service's, as routers of Traefik say it.",
        examples: ['Host(`shop.example.com`)'],
      }),
    entryPoints: z
      .array(z.string().min(1))
      .min(1)
      .default(['web'])
      .meta({ description: 'Names of the entry points on which it is served.', examples: [['websecure']] }),
    sticky: traefikSticky.optional(),
    container,
    reach,
  })
  .meta({
    examples: [
      { front: 'http://127.0.0.1:80', file: '/etc/traefik/dynamic/shop.yml', log: '/var/log/traefik/access.log' },
    ],
  });
type TraefikOptions = z.output<typeof options>;

export const traefik: ProductKind<ProxyPort, TrafficContext> = {
  options,
  create: (context, given) => createTraefik({ ...context, options: options.parse(given) }),
};

/** Traefik rests for 2 s after a change unless it is told otherwise. */
const switchMs = 10_000;

const whyNot =
  'does it watch just that folder (no container without it), may it read the file, and what does its own log say?';

/**
 * Traffic through Traefik, by a file of dynamic configuration that it watches: no restart, no lost request, any number
 * of slots. What it serves is asked of its API. Every function may run twice. Throws `ProxyUnreachable` (worth another
 * try) while Traefik is down, `ProxyNotReady` where its configuration is not the one that is needed, and
 * `UnsupportedShare` for shares that are no whole percents.
 */
function createTraefik({ target, host, options }: TrafficContext & { options: TraefikOptions }): ProxyPort {
  const { api, file, log, entryPoints } = options;
  const places = placesOf(target);
  const upstreams = upstreamsOf(places, options.reach);
  const input: TraefikInput = { ...options, upstreams, sticky: options.sticky };
  const name = traefikName(file);
  const accessLog = { host, path: log, format: traefikLog(upstreams) };

  async function observe(): Promise<Weights | null> {
    const { children } = await traefikState(host, api, name);
    if (children) return sharesOf(children, input);
    if ((await host.read(file)) === null) return null;
    throw notYet('ProxyNotReady', `Traefik at ${api} does not know what ${file} says: ${whyNot}`);
  }

  async function setWeights(weights: Weights): Promise<void> {
    const wanted = wantedChildren(input, weights, places);
    const text = traefikDynamic(input, wanted);
    if ((await host.read(file)) !== text) await host.write(file, text, 0o644);
    const deadline = performance.now() + switchMs;
    for (;;) {
      const state = await traefikState(host, api, name);
      if (serves(state, wanted)) return;
      if (performance.now() > deadline) throw notSwitched(input, state);
      await sleep(50);
    }
  }

  const inFlight = (slot: Slot) => connectionsTo({ host, container: options.container ?? null, to: upstreams[slot]! });

  async function missing(): Promise<string[]> {
    try {
      assertSharable(places);
      const lacks = await staticLacks(host, api, entryPoints);
      if (lacks.length > 0) return [...lacks, remedy(input)];
      await observe();
      await sampleRequests(accessLog, [], Date.now(), Date.now());
      await Promise.all(Object.keys(upstreams).map(inFlight));
      if (await isTraefikLog(host, log)) return [];
      return [`The access log ${log} is not in JSON with all its fields; move it away after this.`, remedy(input)];
    } catch (error) {
      return [(error as Error).message, remedy(input)];
    }
  }

  return proxyPort({
    observe,
    setWeights,
    inFlight,
    sample: (slots, from, to) => sampleRequests(accessLog, slots, from, to),
    missing,
    notices: async () => [],
    front: () => options.front,
  });
}

function wantedChildren(input: TraefikInput, weights: Weights, places: Place[]): TraefikChild[] {
  assertSharable(places);
  try {
    return traefikChildren(input, weights, places);
  } catch (error) {
    throw unsupported(error);
  }
}

function serves({ children, routerError }: TraefikState, wanted: TraefikChild[]): boolean {
  const sorted = (list: TraefikChild[]) =>
    list
      .map((child) => JSON.stringify(child))
      .sort()
      .join();
  return routerError === null && children !== null && sorted(children) === sorted(wanted);
}

/** Throws `ProxyNotReady` where a part of the traffic goes to what is no slot. */
function sharesOf(children: TraefikChild[], { upstreams, file }: TraefikInput): Weights {
  const total = children.reduce((sum, { weight }) => sum + weight, 0);
  const to = (url: string) =>
    children.filter((child) => child.url === url).reduce((sum, { weight }) => sum + weight, 0);
  const parts = Object.entries(upstreams).map(([slot, upstream]) => [slot, to(`http://${upstream}`)] as const);
  if (parts.reduce((sum, [, part]) => sum + part, 0) === total) {
    return Object.fromEntries(parts.map(([slot, part]) => [slot, part / total]));
  }
  throw refuse(
    'ProxyNotReady',
    `Traefik sends traffic to servers that are no slots: ${file} says ` +
      `${[...new Set(children.map(({ url }) => url))].join(', ')}. Put them back into the target's \`ports\`, or among its machines.`,
  );
}

function notSwitched({ file }: TraefikInput, { routerError }: TraefikState) {
  const said = routerError === null ? 'serves something else' : `does not serve it (${routerError})`;
  return notYet('NotSwitched', `${file} is written, and after ${switchMs / 1_000} s Traefik still ${said}: ${whyNot}`);
}

function remedy(input: TraefikInput): string {
  const folder = input.file.slice(0, input.file.lastIndexOf('/'));
  return (
    `Make the folder ${folder}, put this into Traefik's static configuration, beside what else it says, and start ` +
    `Traefik again (3.6 or newer):\n\n${traefikStatic(input)}`
  );
}

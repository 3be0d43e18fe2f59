import type { HostPort } from '../../workflows/ports.ts';
import type { TraefikChild } from '../../workflows/runbook/traefik-dynamic.ts';
import { notYet } from '../failures.ts';
import { askProxy } from './ask-proxy.ts';

/** What Traefik says of the router and the service with this name from its file provider. */
export interface TraefikState {
  /** The services that share the traffic, in any order; null: it knows no such service. */
  children: TraefikChild[] | null;
  /** What it says is wrong with the router; null where it serves. */
  routerError: string | null;
}

/** Throws `ProxyUnreachable`, and `ProxyNotReady` where no API of Traefik answers; both worth another try. */
export async function traefikState(host: HostPort, api: string, name: string): Promise<TraefikState> {
  const services = asList(await get(host, api, `/api/http/services?search=${name}&per_page=10000`));
  const routers = asList(await get(host, api, `/api/http/routers?search=${name}&per_page=10000`));
  const named = new Map(services.map((service) => [service.name, service]));
  const shared = named.get(`${name}@file`);
  const parts = shared?.weighted?.services ?? shared?.highestRandomWeight?.services;
  const children = parts?.map((part) => ({
    name: part.name,
    weight: part.weight,
    url: named.get(`${part.name}@file`)?.loadBalancer?.servers?.[0]?.url ?? '',
  }));
  const router = routers.find((candidate) => candidate.name === `${name}@file`);
  const routerError = router?.status === 'enabled' ? null : (router?.error?.join('; ') ?? 'it is not there');
  return { children: children ?? null, routerError };
}

/** What Traefik's static configuration lacks, as far as its API tells; throws like {@link traefikState}. */
export async function staticLacks(host: HostPort, api: string, entryPoints: string[]): Promise<string[]> {
  const { features, providers } = (await get(host, api, '/api/overview')) as Overview;
  const points = asList(await get(host, api, '/api/entrypoints')).map(({ name }) => name);
  const lacks = entryPoints.flatMap((name) =>
    points.includes(name) ? [] : [`Traefik has no entry point ${name}; it has ${points.join(', ')}.`],
  );
  if (!providers?.includes('File')) lacks.push('Traefik watches no folder: it would never switch.');
  if (!features?.accessLog) lacks.push('Traefik writes no access log: nothing could be measured.');
  return lacks;
}

interface Overview {
  features?: { accessLog?: boolean };
  /** null where there is none. */
  providers?: string[] | null;
}

/** A service or a router, of what the API says what is read here. */
interface Representation {
  name: string;
  status?: string;
  error?: string[];
  weighted?: { services: { name: string; weight: number }[] };
  highestRandomWeight?: { services: { name: string; weight: number }[] };
  loadBalancer?: { servers?: { url: string }[] };
}

function asList(answer: unknown): Representation[] {
  return Array.isArray(answer) ? answer : [];
}

async function get(host: HostPort, api: string, path: string): Promise<unknown> {
  const { status, body } = await answerOf(host, api + path);
  if (status === 200) return JSON.parse(body);
  // Not refused: it listens before it has read its configuration.
  throw notYet(
    'ProxyNotReady',
    `${api}${path} answered ${status}: ${body.trim()}. Is this Traefik, with its API enabled there?`,
  );
}

function answerOf(host: HostPort, url: string) {
  return askProxy(
    host,
    url,
    (why) => `Traefik's API does not answer at ${url} (${why}); is Traefik running, with its API there?`,
  );
}

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { TrafficPort } from '../../workflows/ports.ts';
import { bucketsOf, sharesOf } from '../../workflows/runbook/buckets.ts';
import {
  bucketsFile,
  bucketsPath,
  bucketUpstreams,
  type CaddyInput,
  caddySite,
  noBuckets,
} from '../../workflows/runbook/caddyfile.ts';
import type { TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { type Answer, ask, whyNoAnswer } from '../checks/ask.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { measureRequests } from './access-log.ts';
import { caddyLacks } from './caddy-config.ts';
import { caddyLog } from './caddy-log.ts';
import type { TrafficContext } from './context.ts';
import { front, log, origin, path, reach } from './option-schemas.ts';
import { sticky } from './sticky.ts';

/** The environment's `traffic: { caddy: … }`. The access log must be readable where the worker runs. */
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

export const caddy: ProductKind<TrafficPort, TrafficContext> = {
  options,
  create: (context, given) => createCaddy({ ...context, options: options.parse(given) }),
};

const askMs = 2_000;
const switchMs = 5_000;

/**
 * Traffic through Caddy. Each request belongs to one of 100 buckets, and where a bucket goes is in a file that Caddy
 * reads at each request (`caddySite` is the configuration): no reload, no lost request. Every function may run twice.
 * Throws `ProxyUnreachable` (worth another try) while Caddy is down, `ProxyNotReady` where its configuration is not
 * the one that is needed, `UnsupportedShare` for shares that 100 buckets cannot make.
 */
function createCaddy({ target, host, options }: TrafficContext & { options: CaddyOptions }): TrafficPort {
  const { front, admin, log, folder, sticky, reach } = options;
  const { ports } = target;
  const site: CaddyInput = { front, log, folder, ports, reach, sticky };
  const file = join(folder, bucketsFile);
  const accessLog = { path: log, format: caddyLog(ports, reach) };

  async function observe(): Promise<Weights | null> {
    const served = await servedPorts(site);
    if (served === null) return null;
    const slotOf = new Map(Object.entries(ports).map(([slot, port]) => [String(port), slot]));
    const shares = sharesOf(
      served.split(' ').map((port) => slotOf.get(port)),
      Object.keys(ports),
    );
    if (shares) return shares;
    throw refuse(
      'ProxyNotReady',
      `Caddy sends the traffic of ${front} to ports that are no slots of ${target.name}: ${file} says ` +
        `${[...new Set(served.split(' '))].join(', ')}. Put them back into its \`ports\`.`,
    );
  }

  async function setWeights(weights: Weights): Promise<void> {
    const wanted = portsOf(weights, ports);
    if ((await host.read(file))?.trim() !== wanted) await host.write(file, `${wanted}\n`, 0o644);
    const deadline = performance.now() + switchMs;
    while ((await servedPorts(site)) !== wanted) {
      if (performance.now() > deadline) throw notSwitched(site);
      await sleep(50);
    }
  }

  async function inFlight(slot: Slot): Promise<number> {
    const counts = countsOf(await askAdmin(admin, '/reverse_proxy/upstreams'));
    const buckets = bucketUpstreams(ports).map((upstream) => counts.get(upstream));
    // What is gone from the configuration is not listed even while it still answers: never take that for zero.
    if (!buckets.every((count) => count !== undefined)) throw unlisted(admin, target.name);
    const to = (port: number) => counts.get(`${reach}:${port}`) ?? 0;
    const others = Object.keys(ports).filter((other) => other !== slot);
    // Caddy counts by bucket, exactly, and by address, of which it may lose one in a race: so all less the others'.
    return Math.max(to(ports[slot]!), sum(buckets) - sum(others.map((other) => to(ports[other]!))));
  }

  function measure(slots: Slot[], from: number, to: number): Promise<TrafficMeasurement> {
    return measureRequests(accessLog, slots, from, to);
  }

  async function missing(): Promise<string[]> {
    try {
      const lacks = caddyLacks(await askAdmin(admin, '/config/'), site);
      if (lacks.length > 0) return [...lacks, remedy(site)];
      await observe();
      await measure([], Date.now(), Date.now());
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  return { observe, setWeights, inFlight, measure, missing, notices: async () => [], front: () => front };
}

/** The port of each bucket, as the file says it. */
function portsOf(weights: Weights, ports: Record<Slot, number>): string {
  try {
    return bucketsOf(weights, Object.keys(ports))
      .map((slot) => ports[slot])
      .join(' ');
  } catch (error) {
    if (error instanceof RangeError) throw refuse('UnsupportedShare', `Caddy ${error.message}: use whole percents.`);
    throw error;
  }
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

/** The port of each bucket as Caddy itself reads it, by the same file as for every other request; null: none yet. */
async function servedPorts(site: CaddyInput): Promise<string | null> {
  const { front } = site;
  const answer = await answerOf(front + bucketsPath);
  const said = answer.status === 200 ? answer.body.trim() : '';
  if (said === noBuckets) return null;
  if (/^\d+( \d+){99}$/.test(said)) return said;
  const what = `${front}${bucketsPath} answered ${answer.status} and named no ports`;
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

async function askAdmin(admin: string, path: string): Promise<unknown> {
  const answer = await answerOf(admin + path);
  if (answer.status === 200) return JSON.parse(answer.body);
  throw notYet(
    'ProxyUnreachable',
    `Caddy's admin endpoint ${admin}${path} answered ${answer.status}: ${answer.body.trim()}`,
  );
}

async function answerOf(url: string): Promise<Answer> {
  try {
    return await ask(url, { timeoutMs: askMs });
  } catch (error) {
    throw notYet(
      'ProxyUnreachable',
      `Caddy does not answer at ${url} (${whyNoAnswer(error)}); is it running? Start it: caddy run --config Caddyfile`,
    );
  }
}

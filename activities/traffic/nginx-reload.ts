import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type NginxUpstreamInput, nginxUpstream, nginxUpstreamUse } from '../../workflows/runbook/nginx-upstream.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { notYet } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { sampleRequests } from './access-log.ts';
import { connectionsTo } from './connections.ts';
import type { TrafficContext } from './context.ts';
import { assertRight, reload, reloadNotices, writeTested } from './nginx-command.ts';
import { nginxLog } from './nginx-log.ts';
import { askState, sharesIn, weightsOf } from './nginx-state.ts';
import { workersBeside } from './nginx-workers.ts';
import { front, log, origin, path } from './option-schemas.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';

/** The environment's `traffic: { kind: nginx-reload, … }`. nginx runs on the machine, not in a container. */
const options = z
  .strictObject({
    front,
    log,
    file: path.meta({
      description:
        "Absolute path of the file that Holdpoint writes, and nginx's configuration includes inside of http.",
      examples: ['/etc/nginx/holdpoint/shop.conf'],
    }),
    upstream: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,31}$/, { error: 'a name of small letters, digits and `_`' })
      .meta({ description: 'Name of the upstream that nginx passes requests to.', examples: ['shop'] }),
    state: origin.meta({
      description: 'A free loopback address, as a URL, at which nginx tells Holdpoint what it serves.',
      examples: ['http://127.0.0.1:8199'],
    }),
    command: z
      .array(z.string().min(1))
      .min(1)
      .default(['nginx'])
      .meta({ description: 'argv of nginx, to test and to reload it.', examples: [['sudo', 'nginx']] }),
  })
  .meta({
    examples: [
      {
        front: 'http://127.0.0.1:8080',
        log: '/var/log/nginx/shop.log',
        file: '/etc/nginx/holdpoint/shop.conf',
        upstream: 'shop',
        state: 'http://127.0.0.1:8199',
      },
    ],
  });

export const nginxReload: ProductKind<ProxyPort, TrafficContext> = {
  options,
  create: (context, given) => createNginxReload({ ...context, options: options.parse(given) }),
};

const reloadMs = 20_000;

/**
 * Traffic through an nginx whose configuration only includes one file of ours: each switch writes it anew, tests
 * it, reloads nginx and waits until no worker of before accepts connections. Requests are shared, not users. Every
 * function may run twice. Throws `ProxyUnreachable` (worth another try) while nginx is down.
 */
function createNginxReload(context: TrafficContext & { options: z.output<typeof options> }): ProxyPort {
  const { target, host, options } = context;
  const upstreams = upstreamsOf(placesOf(target), '127.0.0.1');
  const slots = Object.keys(upstreams);
  const input: NginxUpstreamInput = { ...options, upstreams };
  const accessLog = { host, path: options.log, format: nginxLog };

  async function setWeights(weights: Weights): Promise<void> {
    const wanted = nginxUpstream(input, weights);
    const before = await askState(host, input);
    // A call before this one may have died after its reload.
    if (before.shares === sharesIn(wanted) && (await host.read(options.file)) === wanted) return;
    const old = (await workersBeside(host, before.worker)).accepting;
    await writeTested(host, options.command, options.file, wanted);
    await reload(host, options.command);
    const deadline = performance.now() + reloadMs;
    while (!(await isTaken(sharesIn(wanted), old))) {
      if (performance.now() > deadline) throw notSwitched(options.front);
      await sleep(50);
    }
  }

  /** A new worker says so, and none of the old ones accepts connections. */
  async function isTaken(wanted: string, old: number[]): Promise<boolean> {
    const { shares, worker } = await askState(host, input);
    if (shares !== wanted || old.includes(worker)) return false;
    const { accepting } = await workersBeside(host, worker);
    return accepting.length > 0 && accepting.every((pid) => !old.includes(pid));
  }

  /** With each worker that is leaving: `keepalive_min_timeout` lets its clients ask once more, by the shares of before. */
  async function inFlight(slot: Slot): Promise<number> {
    const { leaving } = await workersBeside(host, (await askState(host, input)).worker);
    return leaving.length + (await connectionsTo({ host, container: null, to: upstreams[slot]! }));
  }

  async function missing(): Promise<string[]> {
    const lacks = [
      await lackOf(() => askState(host, input)),
      await lackOf(() => assertRight(host, options.command)),
      await lackOf(() => Promise.all(slots.map(inFlight))),
      await lackOf(() => sampleRequests(accessLog, slots, Date.now(), Date.now())),
    ].filter((lack) => lack !== null);
    return lacks.length === 0 ? [] : [...new Set(lacks), ...remedies(input)];
  }

  return proxyPort({
    observe: async () => weightsOf((await askState(host, input)).shares, slots),
    setWeights,
    inFlight,
    sample: (wanted, from, to) => sampleRequests(accessLog, wanted, from, to),
    missing,
    notices: () => reloadNotices(host, options.command),
    front: () => options.front,
  });
}

async function lackOf(look: () => Promise<unknown>): Promise<string | null> {
  try {
    await look();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function remedies(input: NginxUpstreamInput): string[] {
  return [
    `Write this to ${input.file}, which Holdpoint writes anew at each switch:\n\n${nginxUpstream(input, null)}`,
    "Put this into nginx's configuration, inside of http, with your own names, certificates and locations, then reload " +
      `nginx:\n\n${nginxUpstreamUse(input)}`,
  ];
}

function notSwitched(front: string): Error {
  return notYet(
    'NotSwitched',
    `nginx at ${front} was reloaded ${reloadMs / 1_000} s ago, but workers of before still accept connections. ` +
      "nginx's error log says why; do `command` and `file` belong to the nginx that serves there?",
  );
}

import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { TrafficPort } from '../../workflows/ports.ts';
import {
  type CaddyInput,
  caddySite,
  greenFlag,
  managedMarker,
  noSlot,
  slotPath,
} from '../../workflows/runbook/caddyfile.ts';
import type { TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import { type Slot, slots } from '../../workflows/runbook/plan.ts';
import { type Answer, ask, whyNoAnswer } from '../checks/ask.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import { caddyLacks, isUpstream } from './caddy-config.ts';
import { readAccessLog } from './caddy-log.ts';
import type { TrafficContext } from './context.ts';
import { percentile } from './percentile.ts';

const path = z
  .string()
  .refine((text) => isAbsolute(text) && !/[\n"`{}*?[\]\\]/.test(text), { error: 'an absolute path without wildcards' })
  .overwrite((text) => text.replace(/(?<=.)\/+$/, ''));
const origin = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:\/\/[^/?#]+\/?$/.test(text), {
    error: 'a URL without a path, such as http://127.0.0.1:8080',
    abort: true,
  })
  .overwrite((text) => new URL(text).origin);

/** The environment's `traffic: { kind: caddy, … }`. The access log must be readable where the worker runs. */
export const options = z
  .strictObject({
    front: origin.meta({ description: 'URL of the front door, without a path.', examples: ['http://127.0.0.1:8080'] }),
    admin: origin
      .default('http://127.0.0.1:2019')
      .meta({ description: "URL of Caddy's admin endpoint.", examples: ['http://127.0.0.1:2019'] }),
    log: path.meta({ description: 'Absolute path of the access log, in JSON.', examples: ['/var/log/caddy/shop.log'] }),
    folder: path.meta({
      description: 'Absolute path of the folder in which Holdpoint keeps its flags for Caddy.',
      examples: ['/var/lib/holdpoint/flags'],
    }),
  })
  .meta({
    examples: [{ front: 'http://127.0.0.1:8080', log: '/var/log/caddy/shop.log', folder: '/var/lib/holdpoint/flags' }],
  });
export type CaddyOptions = z.output<typeof options>;

export const caddy: ProductKind<TrafficPort, TrafficContext> = {
  options,
  create: (context, given) => createCaddy({ ...context, options: options.parse(given) }),
};

const askMs = 2_000;
const switchMs = 5_000;
const markerText = `Holdpoint sends traffic from here: to green while the file \`${greenFlag}\` exists in this folder, otherwise to blue.
Do not remove this file: without it nobody is served while green is not chosen.
`;

/**
 * Traffic through Caddy, switched by a file that Caddy looks for at each request (`caddySite` is the configuration):
 * no reload, no lost request. Whole shares only. Every function may run twice. Throws `ProxyUnreachable` (worth
 * another try) while Caddy is down, `ProxyNotReady` where its configuration is not the one that is needed.
 */
export function createCaddy({ target, host, options }: TrafficContext & { options: CaddyOptions }): TrafficPort {
  const { front, admin, log, folder } = options;
  const site: CaddyInput = { front, log, folder, ports: target.ports };
  const flag = join(folder, greenFlag);
  const has = async (name: string) => (await host.read(join(folder, name))) !== null;

  async function observe(): Promise<Record<Slot, number> | null> {
    const live = await servedSlot(site);
    return live && { blue: Number(live === 'blue'), green: Number(live === 'green') };
  }

  async function setWeights(weights: Record<Slot, number>): Promise<void> {
    const wanted = wholeSlot(weights);
    if (wanted === 'blue' && !(await has(managedMarker)))
      await host.write(join(folder, managedMarker), markerText, 0o644);
    const set = await has(greenFlag);
    if (wanted === 'green' && !set) await host.write(flag, 'all traffic to green\n', 0o644);
    if (wanted === 'blue' && set) await host.remove(flag);
    await served(wanted);
  }

  async function served(wanted: Slot): Promise<void> {
    const deadline = performance.now() + switchMs;
    while ((await servedSlot(site)) !== wanted) {
      if (performance.now() > deadline) {
        const state = wanted === 'green' ? `though ${flag} exists` : `though ${flag} is gone`;
        throw notYet(
          'NotSwitched',
          `Caddy does not serve ${wanted} at ${front} ${state}. Can the user that Caddy runs as enter that folder, ` +
            'and is it the same folder for Caddy (no container, no private /tmp)?',
        );
      }
      await sleep(50);
    }
  }

  async function inFlight(slot: Slot): Promise<number> {
    const port = target.ports[slot];
    const upstreams = await askAdmin(admin, '/reverse_proxy/upstreams');
    const found = (Array.isArray(upstreams) ? upstreams : []).filter(({ address }) => isUpstream(address, port));
    if (found.length > 0) return found.reduce((sum, { num_requests }) => sum + num_requests, 0);
    // One that is gone from the configuration is not listed even while it still answers: never take that for zero.
    throw notYet(
      'ProxyNotReady',
      `Caddy at ${admin} knows no upstream 127.0.0.1:${port} (${slot}), so its requests in flight cannot be counted. ` +
        'Put it back into the Caddyfile and reload Caddy.',
    );
  }

  async function measure(slot: Slot, from: number, to: number): Promise<TrafficMeasurement> {
    const times: number[] = [];
    let requests = 0;
    let errors = 0;
    await readLog(log, slot, from, to, ({ status, duration }) => {
      requests += 1;
      if (status >= 500) errors += 1;
      // A WebSocket ends when its user leaves: no time to answer.
      if (status !== 101) times.push(duration * 1_000);
    });
    const sorted = Float64Array.from(times).sort();
    const p50Ms = percentile(sorted, 0.5);
    return { requests, errors, p50Ms, p95Ms: percentile(sorted, 0.95), windowMs: to - from };
  }

  async function missing(): Promise<string[]> {
    try {
      const lacks = caddyLacks(await askAdmin(admin, '/config/'), site);
      if (lacks.length > 0) return [...lacks, remedy(site)];
      await servedSlot(site);
      await measure('blue', Date.now(), Date.now());
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  return { observe, setWeights, inFlight, measure, missing, front: () => front };
}

function wholeSlot(weights: Record<Slot, number>): Slot {
  const whole = slots.find(
    (slot) => weights[slot] === 1 && slots.every((other) => other === slot || weights[other] === 0),
  );
  if (whole) return whole;
  const asked = slots.map((slot) => `${slot} ${weights[slot]}`).join(', ');
  throw refuse('UnsupportedShare', `Caddy is set up to send all traffic to one slot; asked for ${asked}.`);
}

/** The slot that Caddy itself names at the front door, by the same files as for every other request; null: none yet. */
async function servedSlot(site: CaddyInput): Promise<Slot | null> {
  const { front } = site;
  const answer = await answerOf(front + slotPath);
  const named = answer.status === 200 ? answer.body.trim() : '';
  if (named === noSlot) return null;
  const slot = slots.find((candidate) => candidate === named);
  if (slot) return slot;
  const said = `${front}${slotPath} answered ${answer.status} and named no slot`;
  if (answer.status >= 500) throw notYet('ProxyUnreachable', `${said}; is Caddy behind something that is down?`);
  throw refuse('ProxyNotReady', `${said}: is this Caddy, with the site that Holdpoint needs? ${remedy(site)}`);
}

function remedy(site: CaddyInput): string {
  return `Put this into the Caddyfile and reload Caddy:\n\n${caddySite(site)}`;
}

async function askAdmin(admin: string, path: string) {
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

const readLog: typeof readAccessLog = async (path, ...rest) => {
  try {
    await readAccessLog(path, ...rest);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const hint = code === 'ENOENT' ? 'Does Caddy log there?' : 'May the worker read it?';
    throw notYet('LogUnreadable', `Cannot read Caddy's access log: ${message}. ${hint}`);
  }
};

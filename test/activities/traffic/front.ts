import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { caddy } from '../../../activities/traffic/caddy.ts';
import { freePort } from '../../../parts/ports.ts';
import type { TrafficPort } from '../../../workflows/ports.ts';
import { bucketsOf } from '../../../workflows/runbook/buckets.ts';
import { bucketsFile, caddyfile } from '../../../workflows/runbook/caddyfile.ts';
import { placesOf } from '../../../workflows/runbook/places.ts';
import type { Slot, Weights } from '../../../workflows/runbook/plan.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';
import { upstreamsOf } from '../../../workflows/runbook/upstreams.ts';
import { type RunningCaddy, startCaddy } from '../../support/caddy.ts';

/** A real Caddy before real HTTP servers, in a folder of its own. */
export interface Front {
  traffic: TrafficPort;
  url: string;
  folder: string;
  /** The Caddyfile as Holdpoint writes it. */
  config: string;
  servers: Record<Slot, Server>;
  caddy: RunningCaddy;
  /** Runs Caddy on another configuration, after the one before was killed. */
  restart(config: string): Promise<void>;
  close(): Promise<void>;
}

export interface FrontInput {
  slots?: Slot[];
  sticky?: Sticky;
  /** What was chosen before; null: nothing, as before a first deploy. All to the first slot unless given. */
  weights?: Weights | null;
  /** What Caddy runs with instead of the Caddyfile that it needs. */
  change?(config: string): string;
}

export async function openFront(input: FrontInput = {}): Promise<Front> {
  const { slots = ['blue', 'green'], sticky, weights = { [slots[0]!]: 1 }, change = (config) => config } = input;
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-caddy-'));
  const state = join(folder, 'state');
  const servers = Object.fromEntries(await Promise.all(slots.map(async (slot) => [slot, await startSlot(slot)])));
  const ports = Object.fromEntries(slots.map((slot) => [slot, portOf(servers[slot])]));
  const url = `http://127.0.0.1:${await freePort()}`;
  const admin = `http://127.0.0.1:${await freePort()}`;
  const options = { front: url, admin, log: join(folder, 'access.log'), folder: state, ...(sticky && { sticky }) };
  const places = placesOf({ hosts: {}, ports });
  const upstreams = upstreamsOf(places, '127.0.0.1');
  const config = caddyfile({ ...options, upstreams });
  const product = { kind: 'caddy', options };
  const target = {
    name: 'web',
    service: 'shop',
    metrics: null,
    secrets: [],
    hidden: [],
    host: product,
    instances: product,
    traffic: product,
    folder,
    ports,
    hosts: {},
    home: null,
    balancers: null,
  };
  const buckets = weights && bucketsOf(weights, places).map((slot) => upstreams[slot]);
  mkdirSync(state);
  if (buckets) writeFileSync(join(state, bucketsFile), buckets.join(' '));
  const front: Front = {
    traffic: caddy.create({ target, host: createLocalHost() }, options),
    url,
    folder,
    config,
    servers,
    caddy: await startCaddy({ caddyfile: change(config), folder }),
    async restart(next) {
      await front.caddy.kill();
      front.caddy = await startCaddy({ caddyfile: next, folder });
    },
    async close() {
      await front.caddy.kill();
      for (const slot of slots) servers[slot].close().closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return front;
}

/** Answers with its name, `?ms=` later, with `?status=`; sets a cookie of its own, and says which headers it got. */
async function startSlot(name: Slot): Promise<Server> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://slot');
    request.resume().on('end', () => {
      setTimeout(
        () => {
          const headers = { 'set-cookie': 'service=1', 'x-got': Object.keys(request.headers).join(' ') };
          response.writeHead(Number(searchParams.get('status') ?? 200), headers);
          response.end(name);
        },
        Number(searchParams.get('ms') ?? 1),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { trafficKinds } from '../../../activities/traffic/index.ts';
import { freePort } from '../../../parts/ports.ts';
import type { HostPort, TrafficPort } from '../../../workflows/ports.ts';
import { caddyfile, managedMarker } from '../../../workflows/runbook/caddyfile.ts';
import { type Slot, slots } from '../../../workflows/runbook/plan.ts';
import { type RunningCaddy, startCaddy } from '../../support/caddy.ts';

/** A real Caddy before two real HTTP servers, in a folder of its own. */
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

/** `chosen` false: as before a first deploy, when no slot was chosen yet. */
export async function openFront(
  change: (config: string) => string = (config) => config,
  { chosen = true } = {},
): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-caddy-'));
  const servers = { blue: await startSlot('blue'), green: await startSlot('green') };
  const ports = { blue: portOf(servers.blue), green: portOf(servers.green) };
  const url = `http://127.0.0.1:${await freePort()}`;
  const admin = `http://127.0.0.1:${await freePort()}`;
  const options = { front: url, admin, log: join(folder, 'access.log'), folder: join(folder, 'flags') };
  const config = caddyfile({ ...options, ports });
  const product = { kind: 'caddy', options };
  const target = { name: 'web', host: product, instances: product, traffic: product, folder, ports, secrets: [] };
  mkdirSync(options.folder);
  if (chosen) writeFileSync(join(options.folder, managedMarker), '');
  const front: Front = {
    traffic: trafficKinds.caddy!.create({ target, host: files }, options),
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

/** Answers with its name, `?ms=` later, with `?status=`. */
async function startSlot(name: Slot): Promise<Server> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://slot');
    request.resume().on('end', () => {
      setTimeout(
        () => {
          response.writeHead(Number(searchParams.get('status') ?? 200));
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

/** The part of a host that a proxy's flags need. */
const files: HostPort = {
  async exec() {
    throw new Error('a switch by file runs no command');
  },
  async read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
  async write(path, content, mode = 0o600) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, content, { mode });
    renameSync(`${path}.new`, path);
  },
  async remove(path) {
    rmSync(path, { force: true });
  },
  async list() {
    return [];
  },
};

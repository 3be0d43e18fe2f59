import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { endTogether } from '../parts/end-together.ts';
import { isListening } from '../parts/ports.ts';
import { startCluster } from '../parts/postgres-cluster.ts';
import { lastLines } from '../parts/processes.ts';
import { startDevServer } from '../parts/temporal-server.ts';
import { searchAttributeNames } from '../workflows/messages.ts';
import { hasEnded, startProgram } from './children.ts';
import type { CleanUp } from './clean-up.ts';
import type { Holdpoint } from './holdpoint.ts';
import { endLeftovers } from './leftovers.ts';
import type { Parts } from './parts.ts';
import type { Places } from './places.ts';
import { Runs } from './runs.ts';

export interface Servers {
  /** Of the shop's database: a secret. */
  url: string;
  worker: ChildProcess;
  runs: Runs;
}

/** Temporal, PostgreSQL, Caddy and a worker, all taking work when this returns. */
export async function startServers(
  cleanUp: CleanUp,
  places: Places,
  parts: Parts,
  holdpoint: Holdpoint,
): Promise<Servers> {
  const temporal = startTemporal(cleanUp, places, parts);
  const caddy = startCaddy(cleanUp, places, parts);
  const database = startDatabase(cleanUp, places, parts);
  // Here, so that it comes after the end of the workers, when nobody starts anything any more.
  cleanUp.add(() => endLeftovers(places));
  const working = temporal.then(() => startWorker(cleanUp, places, holdpoint));
  const [url, { worker, runs }] = await Promise.all([database, working, caddy]);
  return { url, worker, runs };
}

async function startWorker(cleanUp: CleanUp, places: Places, holdpoint: Holdpoint): Promise<Omit<Servers, 'url'>> {
  const runs = new Runs(`127.0.0.1:${places.temporal}`);
  cleanUp.add(() => runs.close());
  const worker = await holdpoint.worker();
  await Promise.race([runs.untilWorker(), endOf(worker)]);
  return { worker, runs };
}

/** Never returns; throws when the worker ends by itself. */
async function endOf(worker: ChildProcess): Promise<never> {
  await once(worker, 'exit');
  throw new Error('the worker ended');
}

async function startDatabase(cleanUp: CleanUp, places: Places, parts: Parts): Promise<string> {
  const cluster = await cleanUp.own(startCluster({ folder: places.postgres, bin: parts.postgres }), ({ stop }) =>
    stop(),
  );
  cleanUp.add(async () => callOff());
  const callOff = endTogether(cluster.pid, cluster.folder, 'INT');
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  await client.query('CREATE DATABASE shop');
  await client.end();
  const url = new URL(cluster.url);
  url.pathname = '/shop';
  url.searchParams.set('sslmode', 'disable'); // dbmate asks for TLS otherwise, which this server has not
  writeFileSync(places.secrets, `DATABASE_URL=${url.href}\n`, { mode: 0o600 });
  return url.href;
}

async function startTemporal(cleanUp: CleanUp, places: Places, { temporal: bin }: Parts): Promise<void> {
  const folder = join(places.work, 'temporal');
  const options = { folder, port: places.temporal, uiPort: places.ui, bin, searchAttributes: searchAttributeNames };
  await cleanUp.own(startDevServer(options), ({ stop }) => stop());
}

async function startCaddy(cleanUp: CleanUp, { work, caddyfile, front, admin }: Places, parts: Parts): Promise<void> {
  const log = join(work, 'caddy.log');
  const env = { PATH: process.env.PATH, HOME: work, XDG_DATA_HOME: work, XDG_CONFIG_HOME: work };
  const args = ['run', '--config', caddyfile, '--adapter', 'caddyfile'];
  const child = await startProgram(cleanUp, { command: parts.caddy, args, env, log });
  for (const url of [front, admin]) {
    while (!(await isListening(Number(new URL(url).port)))) {
      if (hasEnded(child)) throw new Error(`Caddy ended:\n${lastLines(log)}`);
      await sleep(10);
    }
  }
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPart } from '../../parts/index.ts';
import { isListening } from '../../parts/ports.ts';
import { type Cluster, startCluster } from '../../parts/postgres-cluster.ts';

let folder: string;
let clusters: Cluster[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-cluster-'));
  clusters = [];
});

afterEach(async () => {
  for (const cluster of clusters) await cluster.stop();
  for (const used of [folder, ...clusters.map((cluster) => cluster.folder)]) {
    rmSync(used, { recursive: true, force: true });
  }
});

async function start(inside = folder): Promise<Cluster> {
  const cluster = await startCluster({ folder: inside, bin: (await findPart('postgres')).path });
  clusters.push(cluster);
  return cluster;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('a killed cluster comes back with everything that was committed', async () => {
  const cluster = await start();
  await query(cluster.url, 'create table orders as select 42 as total');
  process.kill(cluster.pid, 'SIGKILL');
  const again = await start();
  expect(again.pid).not.toBe(cluster.pid);
  expect(await query(again.url, 'select total from orders')).toEqual([{ total: 42 }]);
});

test('a cluster that runs already is found again', async () => {
  const first = await start();
  expect(await start()).toMatchObject({ pid: first.pid, port: first.port, url: first.url });
});

test('two starts at once give one cluster', async () => {
  const [one, other] = await Promise.all([start(), start()]);
  expect(one.pid).toBe(other.pid);
});

test('nobody gets in without the password', async () => {
  const { url } = await start();
  await expect(query(url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow(/password authentication failed/);
});

test('a stopped cluster is gone, also when stopped twice', async () => {
  const cluster = await start();
  await cluster.stop();
  await cluster.stop();
  expect(await isListening(cluster.port)).toBe(false);
});

test('a folder that only its owner may enter is no obstacle, whoever PostgreSQL has to run as', async () => {
  chmodSync(folder, 0o700);
  const cluster = await start(join(folder, 'inner'));
  expect(await query(cluster.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

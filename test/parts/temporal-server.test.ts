import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPart } from '../../parts/index.ts';
import { freePort, isListening } from '../../parts/ports.ts';
import { endProcess, isRunning } from '../../parts/processes.ts';
import { type DevServer, startDevServer } from '../../parts/temporal-server.ts';
import { searchAttributeNames, searchAttributes } from '../../workflows/messages.ts';

let folder: string;
let servers: DevServer[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-server-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(ports: { port?: number; uiPort?: number } = {}): Promise<DevServer> {
  const bin = (await findPart('temporal')).path;
  const port = ports.port ?? (await freePort());
  const uiPort = ports.uiPort ?? null;
  const server = await startDevServer({ folder, port, uiPort, bin, searchAttributes: searchAttributeNames });
  servers.push(server);
  return server;
}

/** Something else that listens on a port. */
async function occupy(): Promise<{ port: number; server: Server }> {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return { port, server };
}

async function withClient<T>({ address }: DevServer, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

test('a killed server comes back with the runs that were started', async () => {
  const server = await start();
  await withClient(server, (client) =>
    client.workflow.start('deploy', {
      workflowId: 'deploy/production/shop',
      taskQueue: 'nobody',
      typedSearchAttributes: [{ key: searchAttributes.service, value: 'shop' }],
    }),
  );
  process.kill(server.pid, 'SIGKILL');
  const again = await start({ port: Number(server.address.split(':')[1]) });
  expect(again.pid).not.toBe(server.pid);
  const status = await withClient(again, async (client) => {
    const { status } = await client.workflow.getHandle('deploy/production/shop').describe();
    return status.name;
  });
  expect(status).toBe('RUNNING');
});

test('finished runs are kept for 90 days', async () => {
  const { config } = await withClient(await start(), (client) =>
    client.workflowService.describeNamespace({ namespace: 'default' }),
  );
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 3600);
});

test('a server that runs already is found again', async () => {
  const first = await start();
  expect(await start()).toMatchObject({ pid: first.pid, address: first.address });
});

test('the web UI answers where the server says', async () => {
  const { uiUrl } = await start({ uiPort: await freePort() });
  expect((await fetch(uiUrl!)).status).toBe(200);
});

test('a database left by a first start that was killed is made anew', async () => {
  const database = join(folder, 'temporal.db');
  mkdirSync(folder, { recursive: true });
  writeFileSync(database, 'half a schema');
  await start();
  expect(existsSync(`${database}.complete`)).toBe(true);
});

test('a first start that is killed at any moment does not spoil the next one', async () => {
  const bin = (await findPart('temporal')).path;
  for (const delay of [40, 90, 140, 190]) {
    const port = String(await freePort());
    const args = ['server', 'start-dev', '--headless', '--port', port, '--db-filename', join(folder, 'temporal.db')];
    const child = spawn(bin, args, { stdio: 'ignore' });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    setTimeout(() => child.kill('SIGKILL'), delay);
    await gone;
    const { pid } = await start();
    await endProcess(pid, folder, 'SIGKILL', 0);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
  }
});

test('a taken port is an error that names the port', async () => {
  const { port, server } = await occupy();
  await expect(start({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1, meant for Temporal, is taken`);
  await expect(start({ uiPort: port })).rejects.toThrow(`Port ${port} of 127.0.0.1, meant for Temporal's web UI`);
  server.close();
});

test('a stopped server is gone, also when stopped twice', async () => {
  const server = await start();
  await server.stop();
  await server.stop();
  expect(isRunning(server.pid, folder)).toBe(false);
  expect(await isListening(Number(server.address.split(':')[1]))).toBe(false);
});

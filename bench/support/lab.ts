import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { freePort } from '../../parts/ports.ts';
import { startDevServer } from '../../parts/temporal-server.ts';
import { searchAttributeNames } from '../../workflows/messages.ts';
import { startDefaultServer } from './default-server.ts';
import { BenchWorker, type WorkerKind } from './worker.ts';

export interface Server {
  address: string;
  client: Client;
}

/** A folder, servers, workers: everything that a bench starts, and that is gone after it. */
export class Lab {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-bench-')));
  readonly environment = 'bench';
  readonly temporalBin: string;
  readonly ports: { blue: number; green: number };
  private readonly ends: (() => Promise<unknown>)[] = [];

  private constructor(temporalBin: string, ports: Lab['ports']) {
    this.temporalBin = temporalBin;
    this.ports = ports;
    // Ctrl-C ends the process without the `finally` of whoever runs the bench.
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 }));
    const release = join(this.folder, 'releases', '1');
    mkdirSync(release, { recursive: true });
    writeFileSync(join(release, 'server.mjs'), '');
    const target = { ports: this.ports, folder: join(this.folder, 'state') };
    const environments = { environments: { [this.environment]: { targets: { web: target } } } };
    writeFileSync(this.environmentsFile, JSON.stringify(environments));
  }

  static async open(temporalBin: string): Promise<Lab> {
    return new Lab(temporalBin, { blue: await freePort(), green: await freePort() });
  }

  get environmentsFile(): string {
    return join(this.folder, 'environments.yaml');
  }

  /** As `holdpoint dev` starts it. */
  async devServer(): Promise<Server> {
    const server = await startDevServer({
      folder: join(this.folder, 'temporal'),
      port: await freePort(),
      httpPort: await freePort(),
      uiPort: null,
      bin: this.temporalBin,
      searchAttributes: searchAttributeNames,
    });
    return this.connect(server);
  }

  async defaultServer(): Promise<Server> {
    return this.connect(await startDefaultServer(this.temporalBin, this.folder));
  }

  /** A worker on a task queue of its own. */
  worker({ address }: Server, kind: Omit<WorkerKind, 'taskQueue'>): { worker: BenchWorker; taskQueue: string } {
    const taskQueue = randomUUID();
    const worker = new BenchWorker(address, { environments: this.environmentsFile, ...kind, taskQueue });
    this.ends.push(() => worker.stop());
    return { worker, taskQueue };
  }

  /** File with the workflows that are written straight on Temporal. */
  async bareWorkflows(): Promise<string> {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger });
    const workflowsPath = fileURLToPath(new URL('./bare-workflows.ts', import.meta.url));
    const { code } = await bundleWorkflowCode({ workflowsPath, logger });
    return this.write('bare-workflows.js', code);
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** Ends everything, the newest first. */
  async close(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  private async connect({ address, stop }: { address: string; stop(): Promise<void> }): Promise<Server> {
    this.ends.push(stop);
    const connection = await Connection.connect({ address });
    this.ends.push(() => connection.close());
    return { address, client: new Client({ connection }) };
  }
}

import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../../parts/ports.ts';
import { caddyfile } from '../../workflows/runbook/caddyfile.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';
import { type RunningCaddy, startCaddy } from './caddy.ts';
import { endInstances } from './end-instances.ts';
import { type WorkerOptions, WorkerProcess } from './worker-process.ts';

export interface Release {
  version: string;
  broken?: 'exits' | 'unhealthy' | 'orders' | 'pages';
  /** SQL files of db/migrations, by name. */
  migrations?: Record<string, string>;
}

/** A machine to deploy to: a real Caddy, a folder of releases, an environments file, and workers that can be killed. */
export class Site {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-site-')));
  readonly environment: string = 'test';
  readonly taskQueue = `site-${randomUUID()}`;
  readonly service = `shop-${randomUUID().slice(0, 8)}`;
  readonly workers: WorkerProcess[] = [];
  private traffic: Record<string, string> = {};
  /** Of the server that all tests share, unless a test brings its own. */
  temporalAddress: string = inject('temporalAddress');
  caddy!: RunningCaddy;
  url!: string;
  ports!: Record<Slot, number>;

  static async open(releases: Release[]): Promise<Site> {
    const site = new Site();
    site.ports = { blue: await freePort(), green: await freePort() };
    const port = await freePort();
    site.url = `http://127.0.0.1:${port}`;
    const admin = `http://127.0.0.1:${await freePort()}`;
    const traffic = {
      front: site.url,
      admin,
      log: join(site.folder, 'access.log'),
      folder: join(site.folder, 'flags'),
    };
    mkdirSync(traffic.folder);
    const text = caddyfile({ ...traffic, upstreams: upstreamsAt('127.0.0.1', site.ports) });
    site.caddy = await startCaddy({ caddyfile: text, folder: site.folder });
    site.traffic = traffic;
    site.approvers = {};
    writeFileSync(join(site.folder, '.env'), 'UNUSED=nothing\n');
    for (const release of releases) site.release(release);
    return site;
  }

  /** Who may answer; writes the environments file. */
  set approvers(approvers: Record<string, string[]>) {
    const web = { ports: this.ports, folder: this.state, traffic: { caddy: this.traffic } };
    const environment = { targets: { web }, secrets: [{ dotenv: join(this.folder, '.env') }], approvers };
    writeFileSync(this.environmentsFile, stringify({ environments: { [this.environment]: environment } }));
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  get environmentsFile(): string {
    return join(this.folder, 'environments.yaml');
  }

  /** Builds a release: a folder that is complete by itself. */
  release({ version, broken, migrations = {} }: Release): void {
    const folder = join(this.folder, 'releases', version);
    mkdirSync(join(folder, 'db', 'migrations'), { recursive: true });
    copyFileSync(service, join(folder, 'server.mjs'));
    writeFileSync(join(folder, 'behaviour.json'), JSON.stringify({ version, broken, starts: this.startsFile }));
    for (const [name, sql] of Object.entries(migrations)) writeFileSync(join(folder, 'db', 'migrations', name), sql);
  }

  secret(name: string, value: string): void {
    writeFileSync(join(this.folder, '.env'), `${name}=${value}\n`, { flag: 'a' });
  }

  /** One line for every process of the service that ever began: `<version> <pid>`. */
  get starts(): string[] {
    return existsSync(this.startsFile) ? readFileSync(this.startsFile, 'utf8').trim().split('\n') : [];
  }

  /** The versions that were started, in order. */
  get startedVersions(): string[] {
    return this.starts.map((line) => line.split(' ')[0]!);
  }

  /** A worker as a process of its own; killed workers are started again until `stop`. */
  work(options: Pick<WorkerOptions, 'when' | 'node' | 'env'> = {}): WorkerProcess {
    const worker = new WorkerProcess({
      address: this.temporalAddress,
      taskQueue: this.taskQueue,
      environments: this.environmentsFile,
      journal: join(this.folder, `crashes-${this.workers.length}`),
      ...options,
    });
    this.workers.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    for (const worker of this.workers) await worker.stop();
    await this.caddy.kill();
    endInstances(this.starts);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get startsFile(): string {
    return join(this.folder, 'starts');
  }
}

const service = fileURLToPath(new URL('../fixtures/service/server.mjs', import.meta.url));

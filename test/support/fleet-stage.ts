import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { type DeployRequest, lookWorkflow } from '../../workflows/messages.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import type { TargetLook } from '../../workflows/runbook/target-look.ts';
import { clientOf } from './real-deploy.ts';
import { aRunbook } from './runbooks.ts';
import type { RunningDeploy } from './running-deploy.ts';
import { fleetOf, type SshServers } from './sshd.ts';
import { type WorkerOptions, WorkerProcess } from './worker-process.ts';

/** Real SSH servers, a folder of its own on each, a repository with a tag for each release, and a worker. */
export class FleetStage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-fleet-')));
  readonly environment = 'test';
  readonly taskQueue = `fleet-${randomUUID()}`;
  readonly service = `shop-${randomUUID().slice(0, 8)}`;
  readonly temporalAddress = inject('temporalAddress');
  /** On each machine, and another one on each. */
  readonly own = join(this.folder, 'own');
  readonly workers: WorkerProcess[] = [];
  servers!: SshServers;
  private readonly build = [
    'sh',
    '-c',
    'cp version built && echo "$1" >> "$0"',
    join(this.folder, 'builds'),
    '{version}',
  ];
  private client!: Awaited<ReturnType<typeof clientOf>>;

  static async open(machines: number, worker: Pick<WorkerOptions, 'when'> = {}): Promise<FleetStage> {
    const stage = new FleetStage();
    stage.servers = await fleetOf(machines, { own: stage.own });
    stage.writeEnvironment();
    stage.writeReleases(['1', '2', '3']);
    stage.client = await clientOf(stage);
    stage.work(worker);
    return stage;
  }

  work(options: Pick<WorkerOptions, 'when'>): WorkerProcess {
    const worker = new WorkerProcess({
      address: this.temporalAddress,
      taskQueue: this.taskQueue,
      environments: join(this.folder, 'environments.yaml'),
      journal: join(this.folder, `crashes-${this.workers.length}`),
      ...options,
    });
    this.workers.push(worker);
    return worker;
  }

  /** Of each machine, what its link points at; null where there is none. */
  versions(): (string | null)[] {
    const commits = new Map(['1', '2', '3'].map((tag) => [this.git('rev-parse', `${tag}^{commit}`).trim(), tag]));
    return this.servers.hosts.map(({ root }) => {
      const link = join(root, this.service, 'web');
      try {
        return commits.get(basename(readlinkSync(link))) ?? 'unknown';
      } catch {
        return null;
      }
    });
  }

  /** What the live release of each machine was built from. */
  built(): string[] {
    return this.servers.hosts.map(({ root }) => {
      const release = basename(readlinkSync(join(root, this.service, 'web')));
      return readFileSync(join(root, this.service, 'releases', release, 'built'), 'utf8');
    });
  }

  /** Versions that were built, once for each time. */
  get builds(): string[] {
    return readFileSync(join(this.folder, 'builds'), 'utf8').trim().split('\n');
  }

  /** Starts a deploy whose strategy is the link's own: all are switched in batches. */
  start(
    version: string | null,
    rollout: Record<string, unknown> = {},
    more: Partial<DeployRequest> = {},
  ): Promise<RunningDeploy> {
    const headings = {
      prepare: { artifact: { git: join(this.folder, 'repository'), build: [this.build], built: 'once' } },
      rollout: { start: undefined, strategy: 'reload', ready: 'healthcheck', batch: [1, '50%'], ...rollout },
    };
    return this.client.deploy(version, headings, more);
  }

  async deploy(...given: Parameters<FleetStage['start']>): Promise<RunStatus> {
    return (await this.start(...given)).end();
  }

  /** As if where releases come from were down. */
  async withoutRepository<T>(work: () => Promise<T>): Promise<T> {
    const repository = join(this.folder, 'repository');
    renameSync(repository, `${repository}.away`);
    try {
      return await work();
    } finally {
      renameSync(`${repository}.away`, repository);
    }
  }

  /** What every machine says of itself. */
  async look(): Promise<TargetLook> {
    const runbook = aRunbook({
      service: this.service,
      prepare: { artifact: { git: join(this.folder, 'repository') } },
    });
    const request = { runbook, environment: this.environment, folder: this.folder };
    const [found] = await this.client.client.workflow.execute(lookWorkflow, {
      args: [request],
      workflowId: `look/${this.service}/${randomUUID()}`,
      taskQueue: this.taskQueue,
    });
    return found;
  }

  /** From now on the release's own check fails on this machine, and only there; null: on none. */
  failOn(machine: string | null): void {
    for (const { name, root } of this.servers.hosts) {
      rmSync(join(root, 'ill'), { force: true });
      if (name === machine) writeFileSync(join(root, 'ill'), '');
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.client?.close();
    await this.servers?.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private writeEnvironment(): void {
    const { user, key, knownHosts } = this.servers.hosts[0]!.options;
    const hosts = Object.fromEntries(
      this.servers.hosts.map(({ name, address, port }) => [name, { address, connect: `${address}:${port}` }]),
    );
    const web = {
      host: { ssh: { user, key, knownHosts } },
      hosts,
      instances: 'link',
      ports: { web: 80 },
      folder: this.own,
    };
    writeFileSync(join(this.folder, 'environments.yaml'), stringify({ environments: { test: { targets: { web } } } }));
  }

  private writeReleases(versions: string[]): void {
    mkdirSync(join(this.folder, 'repository'));
    this.git('init', '--quiet');
    for (const version of versions) {
      writeFileSync(join(this.folder, 'repository', 'version'), version);
      writeFileSync(join(this.folder, 'repository', 'check.sh'), `[ ! -e ${join(this.own, 'ill')} ]\n`);
      this.git('add', '.');
      this.git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-m', version);
      this.git('tag', version);
    }
  }

  private git(...args: string[]): string {
    return execFileSync('git', ['-C', join(this.folder, 'repository'), ...args], { encoding: 'utf8' });
  }
}

import { randomUUID } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import type Docker from 'dockerode';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../../parts/ports.ts';
import { type DeployRequest, deployId, deployWorkflow, searchAttributes } from '../../workflows/messages.ts';
import type { Json } from '../../workflows/runbook/json.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Sticky } from '../../workflows/runbook/sticky.ts';
import { engine } from './docker-engine.ts';
import { DockerFront, type Door, type FrontKind } from './docker-front.ts';
import { imageOf, type ReleaseImage, removeImages } from './images.ts';
import type { OwnEngine } from './own-engine.ts';
import type { RunningRegistry } from './registry.ts';
import { aRunbook } from './runbooks.ts';
import { RunningDeploy } from './running-deploy.ts';
import { type WorkerOptions, WorkerProcess } from './worker-process.ts';

export type DockerRelease = Omit<ReleaseImage, 'repository'>;

export interface DockerSiteOptions {
  releases: DockerRelease[];
  /** Images come from there; without one they are the engine's own. */
  registry?: RunningRegistry;
  proxy?: FrontKind;
  sticky?: Sticky;
  /** More of the environment's `instances: { docker: … }`. */
  docker?: Record<string, Json>;
  /** Of the test's own; the shared one unless given. */
  engine?: OwnEngine;
  /** The same machine has another service already: the same proxy, and the same folder for markers. */
  beside?: DockerSite;
}

/** What a deploy may leave on the machine; equal before and after one that changed nothing. */
export interface Footprint {
  /** Name, id, image and state of each container. */
  containers: string[];
  networks: string[];
  volumes: string[];
  /** Versions whose image the engine has. */
  images: string[];
  /** The proxy's own state, and whom it serves. */
  proxy: string[];
}

/** What a test's runbook says unless it says otherwise. */
const rollout = {
  strategy: 'canary',
  steps: ['10%', '50%', '100%'],
  bake: '2s',
  ready: 'healthcheck',
  deadline: '30s',
  drain: '20s',
  grace: '10s',
  // Where a test sends no load there is nothing to judge.
  analysis: { errors: '< 1%', samples: 10, inconclusive: 'proceed' },
  prober: { path: 'GET /healthz', every: '50ms' },
};

/** A machine to deploy to: a Docker engine, a registry, a real proxy, an environments file, workers that can be killed. */
export class DockerSite {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-docker-')));
  readonly environment = 'test';
  readonly service = `shop-${randomUUID().slice(0, 8)}`;
  readonly taskQueue = `docker-site-${randomUUID()}`;
  readonly workers: WorkerProcess[] = [];
  readonly options: DockerSiteOptions;
  readonly front: DockerFront;
  ports!: Record<Slot, number>;
  private door!: Door;
  private client!: Client;

  private constructor(options: DockerSiteOptions) {
    const { proxy = 'nginx', beside } = options;
    this.options = options;
    this.front = beside?.front ?? new DockerFront(proxy, join(this.folder, 'front'));
  }

  static async open(options: DockerSiteOptions): Promise<DockerSite> {
    const site = new DockerSite(options);
    site.client = new Client({ connection: await Connection.connect({ address: inject('temporalAddress') }) });
    site.ports = { blue: await freePort(), green: await freePort() };
    site.door = await site.front.serve(site.service, site.ports, options.sticky);
    writeFileSync(join(site.folder, '.env'), 'UNUSED=nothing\n');
    writeFileSync(site.environmentsFile, stringify({ environments: { [site.environment]: site.described() } }));
    for (const release of options.releases) await site.release(release);
    return site;
  }

  /** The front door. */
  get url(): string {
    return this.door.url;
  }

  /** Without tag. */
  get repository(): string {
    const { registry } = this.options;
    return registry ? `${registry.host}/${this.service}` : this.service;
  }

  /** Where containers run. */
  get engine(): Docker {
    return this.options.engine?.docker ?? engine();
  }

  /** Holdpoint's markers. */
  get state(): string {
    return this.options.beside?.state ?? join(this.folder, 'state');
  }

  secret(name: string, value: string): void {
    writeFileSync(join(this.folder, '.env'), `${name}=${value}\n`, { flag: 'a' });
  }

  /** Builds an image on the shared engine. One that is pushed is the engine's no more, so that a deploy has to pull it. */
  async release(release: DockerRelease): Promise<void> {
    const reference = await imageOf({ ...release, repository: this.repository });
    const { registry, engine: own } = this.options;
    if (own) await own.load(reference);
    if (!registry) return;
    await registry.push(reference);
    await engine().getImage(reference).remove();
  }

  /** A worker as a process of its own; killed workers are started again until `close`. */
  work(options: Pick<WorkerOptions, 'when'> = {}): WorkerProcess {
    const worker = new WorkerProcess({
      address: inject('temporalAddress'),
      taskQueue: this.taskQueue,
      environments: this.environmentsFile,
      journal: join(this.folder, `crashes-${this.workers.length}`),
      ...options,
    });
    this.workers.push(worker);
    return worker;
  }

  /** Starts a deploy, or a rollback where `more` says so; headings given replace the default ones, keys those of `rollout`. */
  async deploy(version: string | null, headings: Record<string, unknown> = {}, more: Partial<DeployRequest> = {}) {
    const { service, environment, folder, taskQueue } = this;
    const own = (headings.rollout ?? {}) as object;
    const prepare = { artifact: { image: this.repository }, ...(headings.prepare as object) };
    const runbook = aRunbook({ ...headings, service, prepare, rollout: { ...rollout, ...own } });
    const request: DeployRequest = { runbook, environment, folder, version, intent: 'deploy', by: 'ana', ...more };
    const handle = await this.client.workflow.start(deployWorkflow, {
      args: [request],
      workflowId: deployId(environment, service),
      taskQueue,
      workflowTaskTimeout: '5s',
      typedSearchAttributes: [{ key: searchAttributes.service, value: service }],
    });
    return new RunningDeploy(this.client, handle.workflowId, handle.firstExecutionRunId);
  }

  /** A first release, deployed and confirmed; throws what went wrong instead. */
  async live(version: string): Promise<void> {
    const worker = this.work();
    const { outcome, sentence } = await (await this.deploy(version)).end();
    if (outcome !== 'succeeded') throw new Error(`${version} is not live: ${sentence}`);
    await worker.stop();
  }

  /** Of the container of that name; null where there is none. */
  async container(name: string): Promise<Docker.ContainerInspectInfo | null> {
    return await this.engine
      .getContainer(name)
      .inspect()
      .catch(() => null);
  }

  /** Every container of this service, running or not, named by Holdpoint or not. */
  async containers(): Promise<Docker.ContainerInfo[]> {
    const all = await this.engine.listContainers({ all: true });
    const mine = ({ Names, Labels, Image }: Docker.ContainerInfo) =>
      Labels['holdpoint.service'] === this.service ||
      Image.startsWith(this.repository) ||
      Names.some((name) => name.startsWith(`/${this.service}`));
    return all.filter(mine);
  }

  /** Follows which of this service's containers the engine starts, from now on. */
  async followStarts(): Promise<{ names: string[]; end(): void }> {
    const filters = { event: ['start'], label: [`holdpoint.service=${this.service}`] };
    const events = (await this.engine.getEvents({ filters })) as Readable;
    const names: string[] = [];
    createInterface({ input: events }).on('line', (line) => names.push(JSON.parse(line).Actor.Attributes.name));
    return { names, end: () => events.destroy() };
  }

  async footprint(): Promise<Footprint> {
    const named = { filters: { name: [this.service] } };
    const containers = await this.containers();
    const { Volumes } = await this.engine.listVolumes(named);
    const images = await this.engine.listImages({ filters: { reference: [this.repository] } });
    return {
      containers: containers.map(({ Names, Id, ImageID, State }) => `${Names} ${Id} ${ImageID} ${State}`).sort(),
      networks: (await this.engine.listNetworks(named)).map(({ Name }) => Name).sort(),
      volumes: (Volumes ?? []).map(({ Name }) => Name).sort(),
      images: images.flatMap(({ RepoTags }) => (RepoTags ?? []).map((tag) => tag.split(':').at(-1)!)).sort(),
      proxy: this.door.state(),
    };
  }

  async close(): Promise<void> {
    for (const worker of this.workers) await worker.stop();
    await this.client.connection.close();
    if (!this.options.beside) await this.front.kill();
    for (const { Id } of await this.containers()) await this.engine.getContainer(Id).remove({ force: true, v: true });
    await removeImages(this.repository);
    const named = { filters: { name: [this.service] } };
    for (const { Id } of await this.engine.listNetworks(named)) await this.engine.getNetwork(Id).remove();
    for (const { Name } of (await this.engine.listVolumes(named)).Volumes ?? [])
      await this.engine.getVolume(Name).remove();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get environmentsFile(): string {
    return join(this.folder, 'environments.yaml');
  }

  private described(): object {
    const { docker = {}, engine: own } = this.options;
    const web = {
      instances: { docker: { engine: own?.host ?? inject('dockerHost'), ...docker } },
      ports: this.ports,
      folder: this.state,
      traffic: { [this.front.kind]: this.door.options },
    };
    return { targets: { web }, secrets: [{ dotenv: join(this.folder, '.env') }] };
  }
}

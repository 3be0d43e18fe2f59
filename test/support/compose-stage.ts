import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import type Docker from 'dockerode';
import { inject } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../../parts/ports.ts';
import { deployId, statusQuery } from '../../workflows/messages.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { type Ended, holdpoint } from '../cli/support/cli.ts';
import { compose } from './compose-cli.ts';
import { engine } from './docker-engine.ts';
import { imageOf, type ReleaseImage, removeImages } from './images.ts';
import type { RunningRegistry } from './registry.ts';
import { type Kills, WorkerProcess } from './worker-process.ts';

interface StageOptions {
  /** Folder with a project, copied; or its files by name. */
  from: string | Record<string, string>;
  registry: RunningRegistry;
  /** As `-e` says it. */
  environment: string;
  /** Ports that the folder's files name, of which each gets a free one in its place. */
  ports: number[];
  /** What else the files name, and the machine does not have. */
  instead?: [there: string, here: string][];
}

export type ComposeStage = Awaited<ReturnType<typeof openStage>>;

/**
 * A machine with a Compose project in `srv/<name>`, as somebody has it whose service, registry, folders and ports have
 * other names: in every file of the folder `shop` is `name`, `/srv`, `/var/lib` and `/var/log` are below `folder`.
 */
export async function openStage({ from, registry, environment, ports, instead = [] }: StageOptions) {
  const name = `shop-${randomBytes(4).toString('hex')}`;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-compose-')));
  const project = join(folder, 'srv', name);
  const taskQueue = `compose-${randomUUID()}`;
  const client = new Client({ connection: await Connection.connect({ address: inject('temporalAddress') }) });
  const port: Record<number, number> = {};
  for (const theirs of ports) port[theirs] = await freePort();
  const file = (path: string) => join(project, path);
  const read = (path: string) => (existsSync(file(path)) ? readFileSync(file(path), 'utf8') : '');
  const workers: WorkerProcess[] = [];

  const below = (written: string) => written.replace(/(?<![\w/])\/(srv|var\/lib|var\/log)\//g, `${folder}/$1/`);
  const moved = (written: string): string => {
    let ours = written.replace(/\bshop\b/g, name).replaceAll('registry.example.com', registry.host);
    ours = below(ours);
    for (const [there, here] of instead) ours = ours.replaceAll(there, here);
    for (const [theirs, own] of Object.entries(port)) ours = ours.replace(new RegExp(`\\b${theirs}\\b`, 'g'), `${own}`);
    return ours;
  };
  const change = (path: string, changed: (before: string) => string) => writeFileSync(file(path), changed(read(path)));

  if (typeof from === 'string') cpSync(from, project, { recursive: true });
  else {
    mkdirSync(project, { recursive: true });
    for (const [path, content] of Object.entries(from)) writeFileSync(file(path), content);
  }
  for (const place of ['var/lib', 'var/log']) mkdirSync(join(folder, place), { recursive: true });
  for (const path of readdirSync(project)) change(path, moved);

  /** One command of the command line, to its end. */
  const run = ([command, ...words]: [string, ...string[]]): Promise<Ended> =>
    holdpoint([command, '-f', file('holdpoint.yaml'), '-e', environment, ...words], {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      HOLDPOINT_TASK_QUEUE: taskQueue,
    });
  /** What it printed, once it has succeeded. */
  async function said(...argv: [string, ...string[]]): Promise<string> {
    const { code, stdout, stderr } = await run(argv);
    if (code !== 0) throw new Error(`holdpoint ${argv.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** The step that asks now, null while none does. */
  async function asking(version: string): Promise<string | null> {
    const handle = client.workflow.getHandle(deployId(environment, name));
    const status = await handle.query<RunStatus>(statusQuery).catch(() => null);
    return status?.release === version ? (status.hold?.step ?? null) : null;
  }

  return {
    name,
    folder,
    port,
    file,
    read,
    change,
    /** Absolute paths of a machine, as they are here. */
    below,
    run: (...argv: [string, ...string[]]) => run(argv),
    said,

    /** Deploys in one terminal, and approves in another whenever it asks. What the first one printed. */
    async deploy(version: string): Promise<string> {
      let ended: Ended | undefined;
      const running = run(['deploy', '--version', version]).then((end) => {
        ended = end;
      });
      for (const answered: string[] = []; !ended; await Promise.race([sleep(200), running])) {
        const step = await asking(version);
        if (step === null || answered.includes(step)) continue;
        await said('approve');
        answered.push(step);
      }
      const { code, stdout, stderr } = ended;
      if (code !== 0) throw new Error(`the deploy ended with ${code}: ${stdout}${stderr}`);
      return stdout;
    },

    /** A worker as a process of its own, once it asks for work; killed workers are started again until `close`. */
    async work({ when }: { when?: Kills } = {}): Promise<WorkerProcess> {
      change('environments.yaml', withOurEngine);
      const worker = new WorkerProcess({
        address: inject('temporalAddress'),
        taskQueue,
        environments: file('environments.yaml'),
        journal: join(folder, `crashes-${workers.length}`),
        env: { HOLDPOINT_HOME: join(folder, 'home') },
        ...(when && { when }),
      });
      workers.push(worker);
      const queue = { namespace: 'default', taskQueue: { name: taskQueue }, taskQueueType: 1 };
      while (!(await client.workflowService.describeTaskQueue(queue)).pollers?.length) await sleep(50);
      return worker;
    },

    /** Builds a release and pushes it; the engine has it no more, so that a deploy has to pull it. */
    async release(version: string, { of = '', ...more }: Partial<ReleaseImage> & { of?: string } = {}): Promise<void> {
      const reference = await imageOf({ repository: `${registry.host}/${name}${of}`, version, ...more });
      await registry.push(reference);
      await engine().getImage(reference).remove();
    },

    /** `docker compose up --detach --wait` in the project's folder. */
    async up(path: string): Promise<void> {
      const { code, stderr } = await compose({ project: name, file: file(path) }, 'up', '--detach', '--wait');
      if (code !== 0) throw new Error(stderr);
    },

    /** Runs those lines of the README's code that begin so. */
    async asWritten(...commands: string[]): Promise<void> {
      const lines = read('README.md')
        .split('\n')
        .map((line) => line.trim());
      for (const line of lines.filter((one) => commands.includes(one.split(' ')[0]!))) await shell(line);
    },

    /** Containers of the projects that belong to it, by service, oldest first. */
    async containers(): Promise<Record<string, Docker.ContainerInspectInfo[]>> {
      const byService: Record<string, Docker.ContainerInspectInfo[]> = {};
      for (const { Id, Labels } of (await ownContainers(name)).reverse()) {
        byService[Labels['com.docker.compose.service']!] ??= [];
        byService[Labels['com.docker.compose.service']!]!.push(await engine().getContainer(Id).inspect());
      }
      return byService;
    },

    /**
     * `<event> <service>` of every container that is made or started from now on, as it happens: asked afterwards, the
     * engine knows its last 256 events, and health checks are most of them.
     */
    async events(): Promise<{ stop(): Promise<string[]> }> {
      const filters = { event: ['create', 'start'], type: ['container' as const] };
      const stream = (await engine().getEvents({ filters })) as Readable;
      let said = '';
      stream.on('data', (more) => (said += more));
      return {
        async stop() {
          await sleep(200);
          stream.destroy();
          const events = said
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line));
          const own = events.filter(({ Actor }) => isOwn(name, Actor.Attributes));
          return own.map(({ Action, Actor }) => `${Action} ${Actor.Attributes['com.docker.compose.service']}`);
        },
      };
    },

    /** Everything that it has on the engine goes too. */
    async close(): Promise<void> {
      for (const worker of workers) await worker.stop();
      await client.connection.close();
      for (const { Id } of await ownContainers(name)) await engine().getContainer(Id).remove({ force: true, v: true });
      await removeImages(`${registry.host}/${name}*`, `${name}*`);
      const named = { filters: { name: [name] } };
      for (const { Id } of await engine().listNetworks(named)) await engine().getNetwork(Id).remove();
      for (const { Name } of (await engine().listVolumes(named)).Volumes ?? []) await engine().getVolume(Name).remove();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** As somebody says it whose engine and Compose are not where they usually are. */
function withOurEngine(written: string): string {
  const { environments } = parse(written);
  for (const { targets } of Object.values<{ targets: object }>(environments)) {
    for (const { instances } of Object.values(targets)) {
      Object.assign(instances.compose, { engine: inject('dockerHost'), command: [inject('composeBin')] });
    }
  }
  return stringify({ environments });
}

export async function shell(line: string): Promise<void> {
  await promisify(execFile)('bash', ['-c', line]);
}

const isOwn = (name: string, labels: Record<string, string>) =>
  labels['com.docker.compose.project']?.startsWith(name) === true;

async function ownContainers(name: string) {
  const all = await engine().listContainers({ all: true, filters: { label: ['com.docker.compose.project'] } });
  return all.filter(({ Labels }) => isOwn(name, Labels));
}

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { stringify } from 'yaml';
import { runPage } from '../../cli/temporal/ui.ts';
import { findPart } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { type DevServer, startDevServer } from '../../parts/temporal-server.ts';
import { deployId, searchAttributeNames } from '../../workflows/messages.ts';
import { clientOf } from './real-deploy.ts';
import { RunningDeploy } from './running-deploy.ts';
import { migrations, openShopDatabase, type ShopDatabase, withDatabase } from './shop-database.ts';
import { Site } from './site.ts';

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * A shop in production as its user has it: a Temporal server of its own with the web UI, a database, a proxy, a
 * worker, three releases (the third one's pages fail), and the real command line to deploy them with.
 */
export class ShopStage {
  readonly site: Site;
  readonly temporal: DevServer;
  private readonly database: ShopDatabase;
  private readonly folder: string;
  private readonly client: Awaited<ReturnType<typeof clientOf>>;

  private constructor(
    parts: Pick<ShopStage, 'site' | 'temporal'>,
    database: ShopDatabase,
    folder: string,
    client: ShopStage['client'],
  ) {
    this.site = parts.site;
    this.temporal = parts.temporal;
    this.database = database;
    this.folder = folder;
    this.client = client;
  }

  static async open(): Promise<ShopStage> {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-stage-'));
    const [temporal, database] = await Promise.all([startTemporal(folder), openShopDatabase()]);
    const site = await Site.open([
      { version: '1', migrations: { '1_orders.sql': migrations['1_orders.sql'] } },
      { version: '2', migrations },
      { version: '3', migrations, broken: 'pages' },
    ]);
    const own = { service: 'shop', environment: 'production', taskQueue: 'holdpoint' };
    Object.assign(site, own, { temporalAddress: temporal.address });
    site.approvers = { dba: ['dora'], leads: ['lea'] };
    site.secret('DATABASE_URL', database.url);
    writeFileSync(join(site.folder, 'first.yaml'), stringify(first));
    writeFileSync(join(site.folder, 'holdpoint.yaml'), stringify(runbook));
    site.work();
    const client = await clientOf(site);
    await untilWorker(client.client, site.taskQueue);
    return new ShopStage({ site, temporal }, database, folder, client);
  }

  /** Runs `holdpoint` with these words to its end. */
  holdpoint(...words: string[]): Promise<Said> {
    const [command, ...args] = this.commandLine(...words);
    return new Promise((resolve) => {
      execFile(command!, args, { cwd: this.site.folder, env: this.environment }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
      });
    });
  }

  /** argv of the same, for who runs it elsewhere; in the site's folder, with `environment`. */
  commandLine(...words: string[]): string[] {
    return [process.execPath, main, ...words, '-e', this.site.environment];
  }

  get environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(TEMPORAL|HOLDPOINT|FORCE_COLOR|NO_COLOR|CI$)/.test(name),
    );
    return {
      ...Object.fromEntries(own),
      HOLDPOINT_HOME: this.folder,
      HOLDPOINT_UI_URL: this.temporal.uiUrl!,
      HOLDPOINT_TASK_QUEUE: this.site.taskQueue,
      TEMPORAL_ADDRESS: this.temporal.address,
      TEMPORAL_CONFIG_FILE: join(this.folder, 'temporal.toml'),
    };
  }

  /** Starts a deploy with the command line, and gives the run that began. Throws what the command said instead. */
  async deploy(version: string, ...words: string[]): Promise<RunningDeploy> {
    const said = await this.holdpoint('deploy', '--version', version, '--detach', '--json', ...words);
    if (said.code !== 0) throw new Error(said.stderr || said.stdout);
    const { runId } = JSON.parse(said.stdout.split('\n')[0]!) as { runId: string };
    return this.run(runId);
  }

  run(runId: string): RunningDeploy {
    return new RunningDeploy(this.client.client, deployId('production', 'shop'), runId);
  }

  /** The run that began last. */
  async newest(): Promise<RunningDeploy> {
    const { runId } = await this.client.client.workflow.getHandle(deployId('production', 'shop')).describe();
    return this.run(runId);
  }

  /** The run's page in the Temporal UI. */
  pageOf({ workflowId, runId }: RunningDeploy): string {
    return runPage(this.temporal.uiUrl!, 'default', workflowId, runId);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.site.close();
    await Promise.all([this.database.drop(), this.temporal.stop()]);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startTemporal(folder: string): Promise<DevServer> {
  writeFileSync(join(folder, 'temporal.toml'), '[profile.default]\n');
  const { path: bin } = await findPart('temporal');
  const [port, uiPort] = [await freePort(), await freePort()];
  return startDevServer({ folder, port, uiPort, bin, searchAttributes: searchAttributeNames });
}

/** The command line starts nothing where no worker asks for work. */
async function untilWorker({ workflowService }: Client, taskQueue: string): Promise<void> {
  const request = { namespace: 'default', taskQueue: { name: taskQueue }, taskQueueType: workflowTasks };
  while (!(await workflowService.describeTaskQueue(request)).pollers?.length) await sleep(50);
}

const workflowTasks = 1; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW

const main = fileURLToPath(new URL('../../dist/cli/bin/main.js', import.meta.url));

const first = {
  service: 'shop',
  ...withDatabase,
  rollout: { start: [process.execPath, 'server.mjs', '{port}'], ready: 'GET /healthz', drain: '10s', grace: '5s' },
};

const runbook = {
  ...first,
  migrate: { ...withDatabase.migrate, hold: { ask: 'Apply these migrations?', by: 'dba' } },
  verify: {
    smoke: ['GET /healthz', { post: '/orders', json: { sku: 'smoke-test' }, expect: 201 }],
    watch: { for: '3s', errors: '< 1%', p95: '< 5s', samples: 50 },
    hold: { ask: 'Confirm, and stop the release before?', by: 'leads' },
  },
};

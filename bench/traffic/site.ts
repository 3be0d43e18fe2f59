import { join } from 'node:path';
import { freePort } from '../../parts/ports.ts';
import type { DeployRequest } from '../../workflows/messages.ts';
import { type Runbook, runbookSchema, type Strategy } from '../../workflows/runbook/schema.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { within } from '../support/bounded.ts';
import { startDeploy } from '../support/deploys.ts';
import type { Lab, Server } from '../support/lab.ts';
import type { BenchWorker } from '../support/worker.ts';
import { type Front, type ProxyName, startFront } from './fronts.ts';
import { endServices, endServicesOnExit, graceSeconds, writeReleases } from './releases.ts';

/** One instance that serves and an idle slot, or three that serve together. */
const slotsOf = { pair: ['blue', 'green'], pool: ['web-1', 'web-2', 'web-3'] };
const patienceMs = 60_000;

/** A machine with one proxy product, its releases 1 and 2, and a worker that deploys them there. */
export class Site {
  private readonly lab: Lab;
  private readonly server: Server;
  private readonly folder: string;
  private readonly fronts: Record<string, Front> = {};
  private worker!: BenchWorker;
  private taskQueue!: string;

  private constructor(lab: Lab, server: Server, proxy: ProxyName) {
    this.lab = lab;
    this.server = server;
    this.folder = join(lab.folder, proxy);
  }

  static async open(lab: Lab, server: Server, proxy: ProxyName): Promise<Site> {
    const site = new Site(lab, server, proxy);
    writeReleases(site.folder);
    endServicesOnExit(site.folder);
    const targets: Record<string, object> = {};
    for (const [target, slots] of Object.entries(slotsOf)) {
      const ports: Record<string, number> = {};
      for (const slot of slots) ports[slot] = await freePort();
      const front = await startFront(proxy, join(site.folder, target), ports);
      site.fronts[target] = front;
      targets[target] = { ports, folder: join(site.folder, 'state', target), traffic: front.traffic };
    }
    const environments = { environments: { [lab.environment]: { targets } } };
    const file = lab.write(`${proxy}.yaml`, JSON.stringify(environments));
    const { worker, taskQueue } = lab.worker(server, { kind: 'product', environments: file });
    site.worker = worker;
    site.taskQueue = taskQueue;
    return site;
  }

  url(strategy: Strategy): string {
    return this.fronts[targetOf(strategy)]!.url;
  }

  /** A whole deploy of the version by this strategy; throws unless it is confirmed. */
  deploy(strategy: Strategy, version: string): Promise<Run> {
    return this.run(strategy, { version, intent: 'deploy' });
  }

  /** The whole way back to the version before. */
  rollBack(strategy: Strategy): Promise<Run> {
    return this.run(strategy, { version: null, intent: 'rollback' });
  }

  async close(): Promise<void> {
    await this.worker.stop();
    for (const front of Object.values(this.fronts)) await front.kill();
    endServices(this.folder);
  }

  private async run(strategy: Strategy, asked: Pick<DeployRequest, 'version' | 'intent'>): Promise<Run> {
    const { server, taskQueue, folder, lab, worker } = this;
    const request = { runbook: runbookOf(strategy), environment: lab.environment, folder, by: 'bench', ...asked };
    const deploy = await startDeploy(server.client, taskQueue, request);
    const what = `${asked.intent} by ${strategy} in ${folder}`;
    const status = (await within(patienceMs, what, deploy.result())) as RunStatus;
    if (status.outcome !== (asked.intent === 'deploy' ? 'succeeded' : 'rolled back'))
      throw new Error(`${what} is ${status.outcome}: ${status.sentence}`);
    return { status, shiftBegan: (step) => shiftBegan(worker, deploy.firstExecutionRunId, status, step) };
  }
}

export interface Run {
  status: RunStatus;
  /** When the worker began to shift traffic in this step, ms since the epoch; the probe before is over then. */
  shiftBegan(step: string): number;
}

/** As short as the strategy can be, so that nothing but it is measured. */
function runbookOf(strategy: Strategy): Runbook {
  return runbookSchema.parse({
    service: 'shop',
    prepare: { artifact: { folder: 'releases/{version}' } },
    rollout: {
      on: targetOf(strategy),
      start: [process.execPath, 'server.mjs', '{port}'],
      ready: 'GET /healthz',
      strategy,
      bake: '1s',
      grace: `${graceSeconds}s`,
    },
  });
}

const targetOf = (strategy: Strategy): keyof typeof slotsOf => (strategy === 'rolling' ? 'pool' : 'pair');

function shiftBegan({ sights }: BenchWorker, run: string, { steps }: RunStatus, step: string): number {
  const startedAt = steps.find(({ id }) => id === step)?.startedAt ?? Number.POSITIVE_INFINITY;
  const shifts = sights.filter(({ moment, activity }) => moment === 'begin' && activity === 'shiftTraffic');
  const shift = shifts.find(({ runId, at }) => runId === run && at >= startedAt);
  if (!shift) throw new Error(`no shift of traffic was seen in ${step}; there was ${steps.map(({ id }) => id)}`);
  return shift.at;
}

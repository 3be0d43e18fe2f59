import { Context } from '@temporalio/activity';
import type { DeployActivities } from '../workflows/ports.ts';
import type { Target } from '../workflows/runbook/plan.ts';
import { checks } from './checks/index.ts';
import { probeInstance } from './checks/probe-instance.ts';
import { jobsOf } from './commands/jobs.ts';
import { runLine } from './commands/run-line.ts';
import { createDatabase, findPostgresBin } from './database/index.ts';
import type { Environments } from './environments/environments.ts';
import { assertFence, claim } from './markers/fence.ts';
import { writeRecord } from './markers/record.ts';
import { accessOf } from './migrations/access.ts';
import { migrateDown, migrateUp } from './migrations/migrate.ts';
import { makePlan } from './plan/make-plan.ts';
import { checkRelease } from './prepare/check-release.ts';
import type { Mask } from './secrets/mask.ts';
import { addressOf, openSite, proxyOf } from './site.ts';
import { drain } from './traffic/drain.ts';
import { watch } from './traffic/watch.ts';

interface Deps {
  environments: Environments;
  /** Learns every secret that is resolved. */
  mask: Mask;
}

/** The walker's verbs on real targets. Whatever changes something asks the fence first. */
export function createDeployActivities({ environments, mask }: Deps): DeployActivities {
  const site = (target: Target) => openSite(target, mask);
  /** For activities that change something: refused once a newer deploy has taken the target. */
  const fenced = async (input: { target: Target; writer: Parameters<typeof assertFence>[2] }) => {
    const opened = site(input.target);
    await assertFence(opened.host, input.target.folder, input.writer);
    return opened;
  };
  const signal = () => Context.current().cancellationSignal;

  return {
    makePlan: (request) => makePlan(environments, mask, request),
    claimTarget: ({ target, writer }) => claim(site(target).host, target.folder, writer),
    checkRelease: (input) => checkRelease(site(input.target), input),

    async runCommand(input) {
      const { secrets } = await fenced(input);
      const env = { ...(await secrets.resolve(input.secrets)), ...input.env };
      return runLine(jobsOf(input.target, mask), { ...input, env, key: input.writer.key, signal: signal() });
    },
    callHttp: ({ request, target }) => checks.smoke(site(target).traffic?.front() ?? '', request, signal()),

    async backUp(input) {
      const { host, secrets } = await fenced(input);
      const names = [input.database, ...(input.scratch ? [input.scratch] : [])];
      const urls = await secrets.resolve(names);
      const scratchUrl = input.scratch ? urls[input.scratch]! : null;
      const database = createDatabase(input.product, { host, bin: findPostgresBin });
      return database.backUp({
        ...input,
        url: urls[input.database]!,
        scratchUrl,
        key: input.writer.key,
        signal: signal(),
      });
    },
    async migrateUp(input) {
      const { host, secrets } = await fenced(input);
      const access = await accessOf(input.tool, secrets);
      return migrateUp({ host, ...jobsOf(input.target, mask) }, { ...input, ...access, signal: signal() });
    },
    async migrateDown(input) {
      const { host, secrets } = await fenced(input);
      const access = await accessOf(input.tool, secrets);
      return migrateDown({ host, ...jobsOf(input.target, mask) }, { ...input, ...access, signal: signal() });
    },

    async startInstance(input) {
      const { instances, secrets } = await fenced(input);
      const env = { ...(await secrets.resolve(input.instance.secrets)), ...input.instance.env };
      return instances.ensureRunning(input.slot, input.instance, env);
    },
    probeInstance: ({ slot, probe, target }) => probeInstance(site(target), slot, probe, signal()),
    async smokeTest({ at, tests, target }) {
      const address = addressOf(site(target), at);
      for (const test of tests) await checks.smoke(address, test, signal());
      return { passed: tests.length, address };
    },

    async shiftTraffic(input) {
      await proxyOf(await fenced(input)).setWeights(input.weights);
      return { blue: input.weights.blue, green: input.weights.green };
    },
    watchTraffic: ({ slot, limits, target, since }) =>
      watch({ traffic: proxyOf(site(target)), slot, limits, since, signal: signal() }),
    async drainInstance(input) {
      const { traffic } = await fenced(input);
      return traffic ? drain({ ...input, traffic, signal: signal() }) : { drained: 'no proxy to ask' };
    },
    async stopInstance(input) {
      const { instances } = await fenced(input);
      return instances.ensureStopped(input.slot, input.graceMs);
    },
    async recordRelease({ slot, release, previous, target, writer }) {
      const { host } = await fenced({ target, writer });
      await writeRecord(host, target.folder, {
        confirmed: { release, slot },
        previous,
        at: new Date().toISOString(),
        key: writer.key,
      });
      return { release: release.version, slot, previous: previous?.version ?? null };
    },
  };
}

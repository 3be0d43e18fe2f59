import { Context } from '@temporalio/activity';
import type { DeployActivities, InstancesPort, Writer } from '../workflows/ports.ts';
import type { MigrationTool } from '../workflows/runbook/actions.ts';
import type { Release, Slot, Target } from '../workflows/runbook/plan.ts';
import { serving } from '../workflows/runbook/planning.ts';
import { watch } from './analysis/watch.ts';
import { imagePlace } from './artifacts/image-place.ts';
import { artifactOf } from './artifacts/index.ts';
import { checks } from './checks/index.ts';
import { probeInstance } from './checks/probe-instance.ts';
import { runLine } from './commands/run-line.ts';
import { createDatabase, findPostgresBin } from './database/index.ts';
import { buildImage } from './docker/build.ts';
import type { Environments } from './environments/environments.ts';
import { assertFence, claim } from './markers/fence.ts';
import { writeRecord } from './markers/record.ts';
import { accessOf } from './migrations/access.ts';
import { migrateDown, migrateUp } from './migrations/migrate.ts';
import { makePlan } from './plan/make-plan.ts';
import { closeReceipt, openReceipt } from './receipt/receipt.ts';
import { markStart } from './receipt/starts.ts';
import type { Mask } from './secrets/mask.ts';
import { addressOf, openSite, proxyOf } from './site.ts';
import { drain } from './traffic/drain.ts';

interface Deps {
  environments: Environments;
  /** Learns every secret that is resolved. */
  mask: Mask;
}

/** The walker's verbs on real targets. Whatever changes something asks the fence first. */
export function createDeployActivities({ environments, mask }: Deps): DeployActivities {
  const site = (target: Target) => openSite(target, mask);
  /** For activities that change something: refused once a newer deploy has taken the target. */
  const fenced = async (input: { target: Target; writer: Writer }) => {
    const opened = site(input.target);
    await assertFence(opened.host, input.target.folder, input.writer);
    return opened;
  };
  /** For activities that show what an instance printed: another worker may have resolved its secrets. */
  const hiding = async (target: Target) => {
    const opened = site(target);
    // One that cannot be had now is in nobody's output by this worker, and going back must not need it.
    await opened.secrets.resolve(target.hidden).catch(() => {});
    return opened;
  };
  /** Where the release's own tool runs, and what it may know. */
  const migrating = async (input: { target: Target; writer: Writer; tool: MigrationTool }) => {
    const { instances, secrets } = await fenced(input);
    const deps = { host: instances.inside(input.tool.release), jobs: instances.jobs, mask: masked };
    return { deps, access: await accessOf(input.tool, secrets) };
  };
  const signal = () => Context.current().cancellationSignal;
  const masked = (text: string) => mask.text(text);

  return {
    makePlan: (request) => makePlan(environments, mask, request),
    claimTarget: ({ target, writer }) => claim(site(target).host, target.folder, writer),
    async buildRelease(input) {
      const opened = await fenced(input);
      const { release, artifact, writer } = input;
      const { engine, repository, credentials } = imagePlace(artifact, {
        ...input,
        folder: release.folder,
        site: opened,
      });
      const env = await opened.secrets.resolve(input.secrets);
      const request = {
        repository,
        credentials,
        version: release.version,
        folder: release.folder,
        build: artifact.build!,
        env,
      };
      return buildImage(engine, opened.host, { ...request, writer, signal: signal() });
    },
    async fetchRelease(input) {
      const opened = await fenced(input);
      const artifact = artifactOf(input.artifact, { ...input, folder: input.release.folder, site: opened });
      await opened.secrets.resolve(input.secrets);
      return { ...(await artifact.fetch(input.release, signal())), secrets: input.secrets.length };
    },
    async pruneReleases(input) {
      const opened = await fenced(input);
      const artifact = artifactOf(input.artifact, { ...input, folder: input.inUse[0]!.folder, site: opened });
      return artifact.prune(input.keep, input.inUse);
    },

    async runCommand(input) {
      const { secrets, instances } = await fenced(input);
      const env = { ...(await secrets.resolve(input.secrets)), ...input.env };
      const deps = { jobs: instances.jobs, mask: masked };
      return runLine(deps, { ...input, env, key: input.writer.key, signal: signal() });
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
      const { deps, access } = await migrating(input);
      return migrateUp(deps, { ...input, ...access, signal: signal() });
    },
    async migrateDown(input) {
      const { deps, access } = await migrating(input);
      return migrateDown(deps, { ...input, ...access, signal: signal() });
    },

    async startInstance(input) {
      const { host, instances, secrets } = await fenced(input);
      const { slot, target, writer } = input;
      const env = { ...(await secrets.resolve(input.instance.secrets)), ...input.instance.env };
      const version = input.instance.release.version;
      await markStart(host, target.folder, writer.fence, { slot, version, at: Date.now() });
      return instances.ensureRunning(input.slot, input.instance, env, input.writer);
    },
    probeInstance: async ({ slot, probe, target }) => probeInstance(await hiding(target), slot, probe, signal()),
    async smokeTest({ at, tests, target }) {
      const address = addressOf(site(target), at);
      for (const test of tests) await checks.smoke(address, test, signal());
      return { passed: tests.length, address };
    },

    async shiftTraffic(input) {
      await proxyOf(await fenced(input)).setWeights(input.weights);
      return input.weights;
    },
    async watchTraffic(input) {
      const opened = await hiding(input.target);
      return watch({ ...opened, traffic: proxyOf(opened), ...input, signal: signal() });
    },
    async drainInstance(input) {
      const { traffic } = await fenced(input);
      return traffic ? drain({ ...input, traffic, signal: signal() }) : { drained: 'no proxy to ask' };
    },
    async stopInstance(input) {
      const { instances } = await fenced(input);
      return instances.ensureStopped(input.slot, input.graceMs);
    },
    async recordRelease({ weights, release, previous, target, writer }) {
      const { host, instances } = await fenced({ target, writer });
      const slots = serving(weights);
      const pinned = await asItRuns(instances, slots[0]!, release);
      await writeRecord(host, target.folder, {
        confirmed: { release: pinned, weights },
        previous,
        at: new Date().toISOString(),
        key: writer.key,
      });
      return { release: release.version, slot: slots.join(', '), previous: previous?.version ?? null };
    },
    async openReceipt(input) {
      const { host, traffic } = await fenced(input);
      return openReceipt({ host, ...where(input) }, input.prober, traffic);
    },
    closeReceipt(input) {
      // Not fenced: it only counts.
      const { host, traffic } = site(input.target);
      return closeReceipt({ host, ...where(input) }, input.before, traffic);
    },
  };
}

const where = ({ target, writer }: { target: Target; writer: Writer }) => ({
  folder: target.folder,
  fence: writer.fence,
});

/** The tag of an image that a deploy has built may mean another one tomorrow: what is confirmed is what runs. */
async function asItRuns(instances: InstancesPort, slot: Slot, release: Release): Promise<Release> {
  if (release.image === undefined) return release;
  const there = await instances.observe(slot);
  return there?.image ? { ...release, image: there.image } : release;
}

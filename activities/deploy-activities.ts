import { ApplicationFailure, Context } from '@temporalio/activity';
import type { DeployActivities, Evidence, InstancesPort, Writer } from '../workflows/ports.ts';
import type { MigrationTool } from '../workflows/runbook/actions.ts';
import { instanceIn } from '../workflows/runbook/instance-in.ts';
import { isFleet } from '../workflows/runbook/places.ts';
import type { Release, Slot, Target, Weights } from '../workflows/runbook/plan.ts';
import { serving } from '../workflows/runbook/planning.ts';
import { watch } from './analysis/watch.ts';
import { imagePlace } from './artifacts/image-place.ts';
import { artifactOf } from './artifacts/index.ts';
import { checks } from './checks/index.ts';
import { probeInstance } from './checks/probe-instance.ts';
import { runLine } from './commands/run-line.ts';
import { backupPlace } from './database/backup-place.ts';
import { createDatabase, findPostgresBin } from './database/index.ts';
import { buildImage } from './docker/build.ts';
import type { Environments } from './environments/environments.ts';
import { refuse } from './failures.ts';
import { isAbsence } from './fleet/absence.ts';
import { inParallel, onEachMachine } from './fleet/each-machine.ts';
import { writeAside } from './markers/aside.ts';
import { assertFence, claim } from './markers/fence.ts';
import { writeRecord } from './markers/record.ts';
import { accessOf } from './migrations/access.ts';
import { migrateDown, migrateUp } from './migrations/migrate.ts';
import { makePlan } from './plan/make-plan.ts';
import { closeReceipt, openReceipt } from './receipt/receipt.ts';
import { markStart } from './receipt/starts.ts';
import type { Mask } from './secrets/mask.ts';
import { type Machine, openSite, placedAt, proxyOf, type Site } from './site.ts';
import { drain } from './traffic/drain.ts';

interface Deps {
  environments: Environments;
  /** Learns every secret that is resolved. */
  mask: Mask;
}

/** A slot, on its machine, where it is called `side`. */
interface Placed extends Machine {
  slot: Slot;
  side: Slot;
}

/** The walker's verbs on real targets. Whatever changes something asks the machine's fence first. */
export function createDeployActivities({ environments, mask }: Deps): DeployActivities {
  const site = (target: Target) => openSite(target, mask);
  const signal = () => Context.current().cancellationSignal;
  const masked = (text: string) => mask.text(text);
  /** For what is done once: refused after a newer deploy has taken the target. */
  const fenced = async (input: { target: Target; writer: Writer }) => {
    const opened = site(input.target);
    await assertSomeFence(opened, input.writer);
    return opened;
  };
  /** For what changes something on every machine. */
  const onEach = <M extends Machine>(machines: M[], writer: Writer, work: (machine: M) => Promise<Evidence>) =>
    onEachMachine(
      machines,
      async (machine) => {
        await assertFence(machine.host, machine.target.folder, writer);
        return work(machine);
      },
      signal(),
    );
  const placed = (opened: Site, slots: Slot[]): Placed[] =>
    slots.map((slot) => {
      const { machine, side } = placedAt(opened, slot);
      return { ...machine, slot, side };
    });
  /** For activities that show what an instance printed: another worker may have resolved its secrets. */
  const hiding = async (target: Target) => {
    const opened = site(target);
    // One that cannot be had now is in nobody's output by this worker, and going back must not need it.
    await opened.secrets.resolve(target.hidden).catch(() => {});
    return opened;
  };
  /** Where the release's own tool runs, and what it may know. */
  const migrating = async (input: { target: Target; writer: Writer; tool: MigrationTool }) => {
    const { home, secrets } = await fenced(input);
    const deps = { host: home.instances.inside(input.tool.release), jobs: home.instances.jobs, mask: masked };
    return { deps, access: await accessOf(input.tool, secrets) };
  };

  return {
    makePlan: (request) => makePlan(environments, mask, request),
    claimTarget({ target, writer }) {
      const { machines } = site(target);
      return onEachMachine(machines, ({ host }) => claim(host, target.folder, writer), signal());
    },
    async buildRelease(input) {
      const { home, secrets } = await fenced(input);
      const { release, artifact, writer } = input;
      const { engine, repository, credentials } = imagePlace(artifact, {
        target: home.target,
        folder: release.folder,
        site: { host: home.host, secrets },
      });
      const env = await secrets.resolve(input.secrets);
      const request = {
        repository,
        credentials,
        version: release.version,
        folder: release.folder,
        build: artifact.build!,
        env,
      };
      return buildImage(engine, home.host, { ...request, writer, signal: signal() });
    },
    async fetchRelease({ target, writer, release, artifact, secrets: names }) {
      const { machines, secrets } = site(target);
      await secrets.resolve(names);
      return onEach(machines, writer, async (machine) => {
        const place = { target: machine.target, folder: release.folder, site: { host: machine.host, secrets } };
        const found = await artifactOf(artifact, place).fetch(release, signal());
        return { ...found, secrets: names.length };
      });
    },
    pruneReleases({ target, writer, artifact, keep, inUse }) {
      const { machines, secrets } = site(target);
      return onEach(machines, writer, ({ target: alone, host }) => {
        const place = { target: alone, folder: inUse[0]!.folder, site: { host, secrets } };
        return artifactOf(artifact, place).prune(keep, inUse);
      });
    },

    async runCommand(input) {
      const { machines, secrets } = site(input.target);
      const env = await secrets.resolve(input.secrets);
      return onEach(machines, input.writer, ({ instances }) => {
        const deps = { jobs: instances.jobs, mask: masked };
        return runLine(deps, { ...input, env, key: input.writer.key, signal: signal() });
      });
    },
    callHttp({ request, target }) {
      const { traffic, front } = site(target);
      return checks.smoke(traffic?.front() ?? '', request, signal(), front);
    },

    async backUp(input) {
      const { home, secrets } = await fenced(input);
      const names = [input.database, ...(input.scratch ? [input.scratch] : [])];
      const urls = await secrets.resolve(names);
      const scratchUrl = input.scratch ? urls[input.scratch]! : null;
      const { host, folder } = backupPlace(home, input.folder);
      const database = createDatabase(input.product, { host, bin: findPostgresBin });
      return database.backUp({
        ...input,
        folder,
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

    async startInstance({ target, writer, slots, instance }) {
      const opened = site(target);
      const env = await opened.secrets.resolve(instance.secrets);
      const { version } = instance.release;
      await markStarts(opened, slots, writer, version);
      return onEach(placed(opened, slots), writer, ({ instances, slot, side }) => {
        const spec = instanceIn(instance, target, slot);
        return instances.ensureRunning(side, spec, { ...env, ...spec.env }, writer);
      });
    },
    async reloadInstance({ target, writer, slots, instance }) {
      const opened = site(target);
      const env = await opened.secrets.resolve(instance.secrets);
      await markStarts(opened, slots, writer, instance.release.version);
      return onEach(placed(opened, slots), writer, ({ instances, slot, side, host }) => {
        const spec = instanceIn(instance, target, slot);
        if (instances.ensureReloaded) return instances.ensureReloaded(side, spec, { ...env, ...spec.env }, writer);
        throw refuse('NoReload', `${target.instances.kind} on ${host.name} cannot reload: use another strategy.`);
      });
    },
    async probeInstance({ slots, probe, target }) {
      const opened = await hiding(target);
      return onEachMachine(placed(opened, slots), (at) => probeInstance(at, at.side, probe, signal()), signal());
    },
    async smokeTest({ at, tests, target }) {
      const opened = site(target);
      const all = async (address: string, host: Machine['host']) => {
        for (const test of tests) await checks.smoke(address, test, signal(), host);
        return { passed: tests.length, address };
      };
      if (at === 'front') return { evidence: await all(proxyOf(opened).front(), opened.front), failed: {} };
      const work = ({ instances, side, host }: Placed) => all(instances.address(side), host);
      return onEachMachine(placed(opened, at), work, signal());
    },

    async shiftTraffic(input) {
      await proxyOf(await fenced(input)).setWeights(input.weights);
      return isFleet(input.target) ? summed(input.weights) : input.weights;
    },
    async watchTraffic(input) {
      const opened = await hiding(input.target);
      const logs: InstancesPort['logs'] = (slot, from, to) => {
        const { machine, side } = placedAt(opened, slot);
        return machine.instances.logs(side, from, to);
      };
      return watch({ ...opened, instances: { logs }, traffic: proxyOf(opened), ...input, signal: signal() });
    },
    async drainInstance(input) {
      const { traffic } = await fenced(input);
      if (!traffic) return { drained: 'no proxy to ask' };
      const all = await Promise.all(
        input.slots.map((slot) => drain({ slot, drainMs: input.drainMs, traffic, signal: signal() })),
      );
      return all.length === 1 ? all[0]! : { drained: all.length, ms: Math.max(...all.map(({ ms }) => Number(ms))) };
    },
    stopInstance({ target, writer, slots, graceMs }) {
      const opened = site(target);
      return onEach(placed(opened, slots), writer, ({ instances, side }) => instances.ensureStopped(side, graceMs));
    },
    async recordRelease({ weights, release, previous, target, writer }) {
      const opened = site(target);
      const pinned = await asItRuns(opened, serving(weights), release);
      const record = {
        confirmed: { release: pinned, weights },
        previous,
        at: new Date().toISOString(),
        fence: writer.fence,
        key: writer.key,
      };
      const slots = isFleet(target) ? serving(weights).length : serving(weights).join(', ');
      return onEach(opened.machines, writer, async ({ host }) => {
        await writeRecord(host, target.folder, record);
        return { release: release.version, slot: slots, previous: previous?.version ?? null };
      });
    },
    noteAside({ aside, target, writer }) {
      const { machines } = site(target);
      return onEach(machines, writer, async ({ host }) => {
        await writeAside(host, target.folder, aside);
        return {};
      });
    },
    async openReceipt(input) {
      const { home, traffic, front } = await fenced(input);
      return openReceipt({ host: home.host, front, ...where(input) }, input.prober, traffic);
    },
    closeReceipt(input) {
      // Not fenced: it only counts.
      const { home, machines, traffic, front } = site(input.target);
      const marked = machines.map(({ host }) => host);
      return closeReceipt({ host: home.host, front, marked, ...where(input) }, input.before, traffic);
    },
  };
}

const where = ({ target, writer }: { target: Target; writer: Writer }) => ({
  folder: target.folder,
  fence: writer.fence,
});

/** Of a fleet any machine that was claimed can say it: what concerns all of them must not need its home. */
async function assertSomeFence({ home, machines }: Site, writer: Writer): Promise<void> {
  let failure: unknown;
  for (const { host, target } of [home, ...machines.filter((machine) => machine !== home)]) {
    try {
      return await assertFence(host, target.folder, writer);
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'Fenced') throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** For the receipt: what a slot serves from here on. On its own machine, so that nobody else has to answer. */
async function markStarts(opened: Site, slots: Slot[], { fence }: Writer, version: string): Promise<void> {
  await inParallel(slots, async (slot) => {
    const { host, target } = placedAt(opened, slot).machine;
    // A machine that does not answer is told by the start itself.
    await markStart(host, target.folder, fence, { slot, version, at: Date.now() }).catch(() => {});
  });
}

/** The tag of an image that a deploy has built may mean another one tomorrow: what is confirmed is what runs. */
async function asItRuns(opened: Site, slots: Slot[], release: Release): Promise<Release> {
  if (release.image === undefined) return release;
  let failure: unknown;
  for (const slot of slots) {
    const { machine, side } = placedAt(opened, slot);
    try {
      const there = await machine.instances.observe(side);
      return there?.image ? { ...release, image: there.image } : release;
    } catch (error) {
      if (!isAbsence(error)) throw error;
      // Any other that serves runs the same.
      failure = error;
    }
  }
  throw failure;
}

/** Shares of a fleet would be a line for each machine. */
function summed(weights: Weights): Evidence {
  return { serving: serving(weights).length };
}

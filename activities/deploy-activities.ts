import { Context } from '@temporalio/activity';
import type { DeployActivities, Evidence, InstancesPort, Writer } from '../workflows/ports.ts';
import type { InstanceSpec, MigrationTool } from '../workflows/runbook/actions.ts';
import { instanceIn } from '../workflows/runbook/instance-in.ts';
import { isFleet } from '../workflows/runbook/places.ts';
import type { Slot, Target, Weights } from '../workflows/runbook/plan.ts';
import { serving } from '../workflows/runbook/planning.ts';
import { watch } from './analysis/watch.ts';
import { copyBuilt, isBuiltOnce } from './artifacts/built-once.ts';
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
import { asItRuns } from './fleet/as-it-runs.ts';
import { onEachMachine } from './fleet/each-machine.ts';
import { markStarts } from './fleet/mark-starts.ts';
import { assertSomeFence } from './fleet/some-fence.ts';
import { writeAside } from './markers/aside.ts';
import { assertFence, claim } from './markers/fence.ts';
import { writeRecord } from './markers/record.ts';
import { accessOf } from './migrations/access.ts';
import { migrateDown, migrateUp } from './migrations/migrate.ts';
import { lookAtTargets } from './plan/look-at-targets.ts';
import { makePlan } from './plan/make-plan.ts';
import { closeReceipt, openReceipt } from './receipt/receipt.ts';
import type { Mask } from './secrets/mask.ts';
import { type Machine, openSite, type Placed, placedAt, proxyOf, type Site } from './site.ts';
import { drain } from './traffic/drain.ts';

interface Deps {
  environments: Environments;
  /** Learns every secret that is resolved. */
  mask: Mask;
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
  const placed = (opened: Site, slots: Slot[]): Placed[] => slots.map((slot) => placedAt(opened, slot));
  /** For what puts a release into slots, `put` by each one's instances. */
  const onSlots = async (
    { target, writer, slots, instance }: Parameters<DeployActivities['startInstance' | 'reloadInstance']>[0],
    put: (at: Placed, spec: InstanceSpec, env: Record<string, string>) => Promise<Evidence>,
  ) => {
    const opened = site(target);
    const env = await opened.secrets.resolve(instance.secrets);
    await markStarts(opened, slots, writer, instance.release.version);
    return onEach(placed(opened, slots), writer, (at) => {
      const spec = instanceIn(instance, target, at.slot);
      return put(at, spec, { ...env, ...spec.env });
    });
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
    const { home, secrets } = await fenced(input);
    const deps = { host: home.instances.inside(input.tool.release), jobs: home.instances.jobs, mask: masked };
    return { deps, access: await accessOf(input.tool, secrets) };
  };

  return {
    makePlan: (request) => makePlan(environments, mask, request),
    lookAtTargets: (request) => lookAtTargets(environments, mask, request),
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
      const { machines, home, secrets } = site(target);
      await secrets.resolve(names);
      const make = async ({ target: alone, host }: Machine) => {
        const place = { target: alone, folder: release.folder, site: { host, secrets } };
        const found = await artifactOf(artifact, place).fetch(release, signal());
        return { ...found, secrets: names.length };
      };
      if (!isBuiltOnce(artifact) || machines.length === 1) return onEach(machines, writer, make);
      const built = await onEach([home], writer, make);
      for (const why of Object.values(built.failed)) throw refuse('NotBuilt', why);
      const from = { host: home.host, folder: home.target.folder, release };
      const others = machines.filter((machine) => machine !== home);
      const { evidence, failed } = await onEach(others, writer, ({ host, target: { folder } }) =>
        copyBuilt(from, { host, folder, release }, artifact, signal()),
      );
      return { evidence: { ...built.evidence, copiedTo: evidence.machines! }, failed };
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

    startInstance: (input) =>
      onSlots(input, ({ instances, side }, spec, env) => instances.ensureRunning(side, spec, env, input.writer)),
    reloadInstance: (input) =>
      onSlots(input, ({ instances, side, host, target }, spec, env) => {
        if (instances.ensureReloaded) return instances.ensureReloaded(side, spec, env, input.writer);
        throw refuse('NoReload', `${target.instances.kind} on ${host.name} cannot reload: use another strategy.`);
      }),
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
        const { instances, side } = placedAt(opened, slot);
        return instances.logs(side, from, to);
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

/** Shares of a fleet would be a line for each machine. */
function summed(weights: Weights): Evidence {
  return { serving: serving(weights).length };
}

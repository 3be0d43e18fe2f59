import { ApplicationFailure } from '@temporalio/common';
import { withDigest } from '../../activities/plan/digest.ts';
import type { Across, DeployActivities, Evidence, PlanRequest, Writer } from '../../workflows/ports.ts';
import type { Verdict } from '../../workflows/runbook/checks.ts';
import { planDeploy } from '../../workflows/runbook/make-plan.ts';
import type { InstanceState, MigrationState, ReleaseRecord } from '../../workflows/runbook/observed.ts';
import { placeOf, placesOf, slotsOf, weightsWithout } from '../../workflows/runbook/places.ts';
import type { HostName, Machine, Plan, SetAside, Slot, Target, Weights } from '../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../workflows/runbook/plan-refused.ts';
import { planReconcile, planRollback } from '../../workflows/runbook/plan-rollback.ts';
import { type PlanInput, serving, shared } from '../../workflows/runbook/planning.ts';
import type { TargetLook } from '../../workflows/runbook/target-look.ts';
import { targetsOf } from '../../workflows/runbook/targets-of.ts';

export type Verb = keyof DeployActivities;

/** What only one machine of a fleet keeps: its markers. */
interface Markers {
  /** Fence of the newest deploy that claimed it. */
  fence: number;
  record: ReleaseRecord | null;
  /** Whom the last deploy went on without, as the note there says; null: there is no note. */
  aside: HostName[] | null;
}

/** A target that lives in memory and keeps its state, for tests of the workflow layer alone. */
export class FakeWorld {
  releases = ['1', '2', '3'];
  slots: Record<Slot, InstanceState | null> = { blue: null, green: null };
  ports: Record<string, number> = { blue: 4001, green: 4002 };
  /** Machines of a fleet; empty: the target is one machine. */
  hosts: Record<HostName, Machine> = {};
  weights: Weights | null = null;
  migrations: MigrationState = { applied: ['0001'], pending: [], reversible: true };
  approvers: Record<string, string[]> = {};
  /** Fence of the deploy whose requests are counted. */
  receipt: number | null = null;
  verdict: Verdict = { word: 'passed', sentence: 'fine', findings: [], candidate: null, stable: null };
  proxy = true;
  /** Every effect, in order: what tests compare. */
  readonly effects: string[] = [];
  private readonly faults = new Map<Verb, { left: number; error: Error }>();
  private readonly badStarts = new Set<string>();
  private readonly badMachines = new Map<string, { left: number }>();
  private readonly gates = new Map<Verb, Promise<void>>();
  private readonly absent = new Set<HostName>();
  private readonly triggers: { effect: string; then: () => void }[] = [];
  private readonly markers = new Map<HostName | null, Markers>();

  /** Version 1 confirmed and serving in blue. */
  static serving(version = '1'): FakeWorld {
    const world = new FakeWorld();
    world.slots.blue = { release: version, port: 4001, running: true };
    world.weights = { blue: 1, green: 0 };
    world.record = { confirmed: { release: world.release(version), weights: world.weights }, previous: null };
    return world;
  }

  /** Version 1 confirmed and serving in every slot of a pool of three. */
  static pool(version = '1'): FakeWorld {
    const world = new FakeWorld();
    world.ports = { 'web-1': 4001, 'web-2': 4002, 'web-3': 4003 };
    world.slots = {};
    for (const [slot, port] of Object.entries(world.ports))
      world.slots[slot] = { release: version, port, running: true };
    world.weights = { 'web-1': 1 / 3, 'web-2': 1 / 3, 'web-3': 1 / 3 };
    world.record = { confirmed: { release: world.release(version), weights: world.weights }, previous: null };
    return world;
  }

  /** Version 1 confirmed and serving on machines `web1`, `web2`, … in their first port; empty where `version` is null. */
  static fleet(
    count = 3,
    { ports = { blue: 4001, green: 4002 } as Record<string, number>, version = '1' as string | null } = {},
  ) {
    const world = new FakeWorld();
    world.ports = ports;
    const names = Array.from({ length: count }, (_, index) => `web${index + 1}`);
    world.hosts = Object.fromEntries(names.map((name, index) => [name, { address: `10.0.0.${index + 11}` }]));
    const target = world.target();
    world.slots = Object.fromEntries(slotsOf(target).map((slot) => [slot, null]));
    if (version === null) return world;
    const [side] = Object.keys(ports);
    const live = slotsOf(target).filter((slot) => placeOf(target, slot).side === side);
    for (const slot of live) world.slots[slot] = { release: version, port: ports[side!]!, running: true };
    world.weights = shared(target, live);
    const record = { confirmed: { release: world.release(version), weights: world.weights }, previous: null };
    for (const name of names) world.markersOf(name).record = record;
    return world;
  }

  release = (version: string) => ({ version, folder: `/releases/${version}` });

  /** The next `times` calls fail, non-retryably unless `retryable`. */
  fail(verb: Verb, { times = Number.POSITIVE_INFINITY, retryable = false, message = `${verb} broke` } = {}): void {
    const error = retryable
      ? ApplicationFailure.create({ message, type: 'Broken' })
      : ApplicationFailure.nonRetryable(message, 'Broken');
    this.faults.set(verb, { left: times, error });
  }

  /** This version never starts in this slot. */
  failStart(version: string, slot: Slot): void {
    this.badStarts.add(`${version} in ${slot}`);
  }

  /** The next `times` calls fail on this machine; the others do not notice. */
  failOn(verb: Verb, host: HostName, times = Number.POSITIVE_INFINITY): void {
    this.badMachines.set(`${verb} on ${host}`, { left: times });
  }

  mend(verb: Verb): void {
    this.faults.delete(verb);
  }

  /** It does not answer; what runs there goes on. */
  cutOff(host: HostName): void {
    this.absent.add(host);
  }

  /** It does not answer, and nothing runs there any more. */
  kill(host: HostName): void {
    this.absent.add(host);
    for (const slot of slotsOf(this.target())) {
      const there = this.slots[slot];
      if (there && placeOf(this.target(), slot).host === host) this.slots[slot] = { ...there, running: false };
    }
  }

  /** It answers again, as it is by now. */
  reconnect(host: HostName): void {
    this.absent.delete(host);
  }

  /** Once, right after the first effect that begins like this. */
  after(effect: string, then: () => void): void {
    this.triggers.push({ effect, then });
  }

  /** Calls of this verb wait until the returned function is called. */
  block(verb: Verb): () => void {
    let open = () => {};
    this.gates.set(verb, new Promise((resolve) => (open = resolve)));
    return () => {
      this.gates.delete(verb);
      open();
    };
  }

  /** Version that users get, null when nothing answers them; several where they share the traffic. */
  get served(): string | null {
    const versions = serving(this.weights ?? {}).map((slot) =>
      this.slots[slot]?.running ? this.slots[slot].release : null,
    );
    return versions.includes(null) ? null : [...new Set(versions)].sort().join(' and ') || null;
  }

  /** The newest that a machine has: what the next deploy starts from. */
  get record(): ReleaseRecord | null {
    const all = [...this.markers.values()].filter(({ record }) => record !== null);
    return all.toSorted((one, other) => other.fence - one.fence)[0]?.record ?? null;
  }

  /** Of a target that is one machine. */
  set record(record: ReleaseRecord | null) {
    this.markersOf(null).record = record;
  }

  markersOf(host: HostName | null): Markers {
    const markers = this.markers.get(host) ?? { fence: 0, record: null, aside: null };
    this.markers.set(host, markers);
    return markers;
  }

  get activities(): DeployActivities {
    return {
      makePlan: async (request) => this.plan(request),
      lookAtTargets: async () => [this.look()],
      claimTarget: ({ target, writer }) =>
        this.onEach('claimTarget', target, (host) => {
          const markers = this.markersOf(host);
          if (writer.fence < markers.fence) throw fenced();
          markers.fence = writer.fence;
        }),
      buildRelease: ({ target, writer, release }) =>
        this.once('buildRelease', target, writer, `build ${release.version}`),
      fetchRelease: ({ target, writer }) =>
        this.onEach('fetchRelease', target, (host) => this.assertFence(host, writer)),
      runCommand: ({ target, command, writer }) =>
        this.onEach('runCommand', target, (host) => {
          this.assertFence(host, writer);
          this.say(`${command.join(' ')}${host === null ? '' : ` on ${host}`}`);
        }),
      callHttp: ({ request }) => this.act('callHttp', () => this.say(`http ${request.url}`)),
      backUp: ({ target, writer }) => this.once('backUp', target, writer, 'backup'),
      migrateUp: ({ target, pending, writer }) =>
        this.once('migrateUp', target, writer, `migrate up ${pending.join(' ')}`, () => {
          this.migrations = { ...this.migrations, applied: [...this.migrations.applied, ...pending], pending: [] };
        }),
      migrateDown: ({ target, to, writer }) =>
        this.once('migrateDown', target, writer, `migrate down to ${to.join(' ')}`, () => {
          const pending = this.migrations.applied.filter((revision) => !to.includes(revision));
          this.migrations = { ...this.migrations, applied: to, pending };
        }),
      startInstance: ({ target, slots, instance: { release }, writer }) =>
        this.inEach('startInstance', target, slots, writer, (slot, port) => {
          this.say(`start ${release.version} in ${slot}`);
          if (this.badStarts.has(`${release.version} in ${slot}`))
            throw ApplicationFailure.nonRetryable('it broke', 'Broken');
          this.slots[slot] = { release: release.version, port, running: true };
        }),
      reloadInstance: ({ target, slots, instance: { release }, writer }) =>
        this.inEach('reloadInstance', target, slots, writer, (slot, port) => {
          this.say(`reload ${release.version} in ${slot}`);
          this.slots[slot] = { release: release.version, port, running: true };
        }),
      probeInstance: ({ target, slots }) =>
        this.inEach('probeInstance', target, slots, null, (slot) => {
          if (!this.slots[slot]?.running)
            throw ApplicationFailure.nonRetryable(`${slot} does not answer`, 'ProbeFailed');
          this.say(`probe ${slot}`);
        }),
      smokeTest: async ({ target, at }) => {
        if (at !== 'front') return this.inEach('smokeTest', target, at, null, (slot) => this.say(`smoke ${slot}`));
        return { evidence: await this.act('smokeTest', () => this.say('smoke front')), failed: {} };
      },
      shiftTraffic: ({ target, weights, writer }) =>
        this.act('shiftTraffic', () => {
          this.assertSomeFence(target, writer);
          this.weights = weights;
          this.say(`shift to ${describeShares(weights)}`);
        }),
      watchTraffic: async () => {
        await this.act('watchTraffic');
        return this.verdict;
      },
      drainInstance: ({ slots }) =>
        this.act('drainInstance', () => {
          for (const slot of slots) this.say(`drain ${slot}`);
        }),
      stopInstance: ({ target, slots, writer }) =>
        this.inEach('stopInstance', target, slots, writer, (slot) => {
          this.slots[slot] = null;
          this.say(`stop ${slot}`);
        }),
      recordRelease: ({ target, release, weights, previous, writer }) =>
        this.onEach('recordRelease', target, (host) => {
          this.assertFence(host, writer);
          this.markersOf(host).record = { confirmed: { release, weights }, previous };
          this.say(`confirm ${release.version}${host === null ? '' : ` on ${host}`}`);
        }),
      pruneReleases: ({ target, writer }) =>
        this.onEach('pruneReleases', target, (host) => this.assertFence(host, writer)),
      noteAside: ({ target, aside, writer }) =>
        this.onEach('noteAside', target, (host) => {
          this.assertFence(host, writer);
          this.markersOf(host).aside = aside.length > 0 ? aside.map((one: SetAside) => one.host) : null;
        }),
      openReceipt: ({ target, writer }) =>
        this.act('openReceipt', () => {
          this.assertSomeFence(target, writer);
          this.receipt = writer.fence;
        }),
      closeReceipt: async ({ writer }) => {
        await this.act('closeReceipt');
        return this.receipt === writer.fence ? { since: 0, until: 0, served: {}, probed: null } : null;
      },
    };
  }

  target(name = 'web'): Target {
    return {
      name,
      service: 'shop',
      host: { kind: 'local', options: {} },
      hosts: this.hosts,
      home: Object.keys(this.hosts)[0] ?? null,
      instances: { kind: 'process', options: {} },
      traffic: this.proxy ? { kind: 'caddy', options: {} } : null,
      balancers: null,
      metrics: null,
      folder: '/state',
      ports: this.ports,
      secrets: [],
      hidden: [],
    };
  }

  /** What planning a runbook looks at here; the same world behind every target. Of a fleet only what answers is seen. */
  inputs({ runbook, environment, version }: Omit<PlanRequest, 'folder' | 'intent'>): [PlanInput, ...PlanInput[]] {
    const { releases, approvers } = this;
    const release = version !== null && releases.includes(version) ? this.release(version) : null;
    const unreachable = Object.fromEntries([...this.absent].map((host) => [host, `${host} does not answer`]));
    const [first, ...others] = targetsOf(runbook).map(({ name, ...how }): PlanInput => {
      const target = this.answering(name);
      const known = new Set(slotsOf(target));
      const within = (weights: Weights | null) =>
        weights && weightsWithout(weights, new Set(Object.keys(weights).filter((slot) => !known.has(slot))));
      const record = this.record;
      const observed = {
        releases,
        release,
        slots: Object.fromEntries(Object.entries(this.slots).filter(([slot]) => known.has(slot))),
        record: record && {
          ...record,
          confirmed: { ...record.confirmed, weights: within(record.confirmed.weights) ?? {} },
        },
        claimed: [...this.markers.values()].some(({ fence }) => fence > 0),
        trafficMissing: [],
        notices: [],
        weights: this.proxy ? within(this.weights) : null,
        migrations: runbook.migrate ? this.migrations : null,
        unreachable,
      };
      return { ...how, runbook, environment, target, approvers, observed, releaseOf: this.release };
    });
    return [first!, ...others];
  }

  private answering(name: string): Target {
    const target = this.target(name);
    const hosts = Object.fromEntries(Object.entries(this.hosts).filter(([host]) => !this.absent.has(host)));
    return { ...target, hosts, home: Object.keys(hosts)[0] ?? null };
  }

  private look(): TargetLook {
    const target = this.target();
    const there = placesOf(target).filter(({ host }) => host === null || !this.absent.has(host));
    const slots = there.map(({ slot, host }) => {
      const { release = null, running = false } = this.slots[slot] ?? {};
      return { slot, host, release, running, share: this.weights?.[slot] ?? 0 };
    });
    const silent = Object.fromEntries([...this.absent].map((host) => [host, `${host} does not answer`]));
    return { target: target.name, confirmed: this.record?.confirmed.release.version ?? null, slots, silent };
  }

  private async plan(request: PlanRequest): Promise<Plan> {
    await this.act('makePlan');
    const inputs = this.inputs(request);
    try {
      const plan = planners[request.intent](inputs, request.version!);
      const targets = plan.targets.map(({ name, home }) => ({ ...this.target(name), home }));
      return withDigest({ ...plan, targets });
    } catch (error) {
      if (error instanceof PlanRefused) throw ApplicationFailure.nonRetryable(error.message, error.type);
      throw error;
    }
  }

  /** What is done once, on the machine that the target has left. */
  private once(verb: Verb, target: Target, writer: Writer, effect: string, change = () => {}): Promise<Evidence> {
    return this.act(verb, () => {
      const host = Object.keys(target.hosts)[0] ?? null;
      this.assertThere(verb, host);
      this.assertFence(host, writer);
      change();
      this.say(effect);
    });
  }

  /** Of a fleet those that fail are told; a target of one machine throws. */
  private async onEach(verb: Verb, target: Target, work: (host: HostName | null) => void): Promise<Across> {
    await this.act(verb);
    const hosts = Object.keys(target.hosts);
    const failed: Across['failed'] = {};
    if (hosts.length === 0) work(null);
    for (const host of hosts) {
      try {
        this.assertThere(verb, host);
        work(host);
      } catch (error) {
        failed[host] = (error as Error).message;
      }
    }
    return { evidence: {}, failed };
  }

  private inEach(
    verb: Verb,
    target: Target,
    slots: Slot[],
    writer: Writer | null,
    work: (slot: Slot, port: number) => void,
  ): Promise<Across> {
    return this.onEach(verb, target, (host) => {
      for (const slot of slots.filter((one) => placeOf(target, one).host === host)) {
        if (writer) this.assertFence(host, writer);
        work(slot, placeOf(target, slot).port);
      }
    });
  }

  private async act(verb: Verb, change: () => unknown = () => {}): Promise<Evidence> {
    await this.gates.get(verb);
    const fault = this.faults.get(verb);
    if (fault && fault.left > 0) {
      fault.left -= 1;
      throw fault.error;
    }
    change();
    return {};
  }

  private assertThere(verb: Verb, host: HostName | null): void {
    if (host === null) return;
    if (this.absent.has(host)) throw ApplicationFailure.nonRetryable(`${host} does not answer`, 'HostUnreachable');
    const fault = this.badMachines.get(`${verb} on ${host}`);
    if (!fault || fault.left === 0) return;
    fault.left -= 1;
    throw ApplicationFailure.nonRetryable(`${verb} broke on ${host}`, 'Broken');
  }

  private assertFence(host: HostName | null, writer: Writer): void {
    const { fence } = this.markersOf(host);
    if (writer.fence < fence) throw fenced();
    if (writer.fence > fence) throw ApplicationFailure.nonRetryable('it was never claimed', 'NotClaimed');
  }

  private assertSomeFence({ hosts }: Target, writer: Writer): void {
    const [host = null] = Object.keys(hosts).filter((one) => !this.absent.has(one));
    this.assertFence(host, writer);
  }

  private say(effect: string): void {
    this.effects.push(effect);
    const at = this.triggers.findIndex((trigger) => effect.startsWith(trigger.effect));
    if (at >= 0) this.triggers.splice(at, 1)[0]!.then();
  }
}

const planners = { deploy: planDeploy, rollback: planRollback, reconcile: planReconcile };

const fenced = () => ApplicationFailure.nonRetryable('a newer deploy has taken this target', 'Fenced');

/** `green`, or `blue 90% green 10%`. */
function describeShares(weights: Weights): string {
  const slots = serving(weights);
  if (slots.length === 1) return slots[0]!;
  return slots.map((slot) => `${slot} ${Math.round(weights[slot]! * 100)}%`).join(' ');
}

import { ApplicationFailure } from '@temporalio/common';
import { withDigest } from '../../activities/plan/digest.ts';
import type { DeployActivities, Evidence, PlanRequest, Writer } from '../../workflows/ports.ts';
import type { Verdict } from '../../workflows/runbook/checks.ts';
import { planDeploy } from '../../workflows/runbook/make-plan.ts';
import type { InstanceState, MigrationState, ReleaseRecord } from '../../workflows/runbook/observed.ts';
import type { Slot, Target, Weights } from '../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../workflows/runbook/plan-refused.ts';
import { planRollback } from '../../workflows/runbook/plan-rollback.ts';
import type { PlanInput } from '../../workflows/runbook/planning.ts';
import { targetsOf } from '../../workflows/runbook/targets-of.ts';

export type Verb = keyof DeployActivities;

/** A target that lives in memory and keeps its state, for tests of the workflow layer alone. */
export class FakeWorld {
  releases = ['1', '2', '3'];
  slots: Record<Slot, InstanceState | null> = { blue: null, green: null };
  ports: Record<Slot, number> = { blue: 4001, green: 4002 };
  weights: Weights | null = null;
  record: ReleaseRecord | null = null;
  migrations: MigrationState = { applied: ['0001'], pending: [], reversible: true };
  approvers: Record<string, string[]> = {};
  fence = 0;
  /** Fence of the deploy whose requests are counted. */
  receipt: number | null = null;
  verdict: Verdict = { word: 'passed', sentence: 'fine', findings: [], candidate: null, stable: null };
  proxy = true;
  /** Every effect, in order: what tests compare. */
  readonly effects: string[] = [];
  private readonly faults = new Map<Verb, { left: number; error: Error }>();
  private readonly badStarts = new Set<string>();
  private readonly gates = new Map<Verb, Promise<void>>();

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

  mend(verb: Verb): void {
    this.faults.delete(verb);
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
    const shares = Object.entries(this.weights ?? {}).filter(([, share]) => share > 0);
    const versions = shares.map(([slot]) => (this.slots[slot]?.running ? this.slots[slot].release : null));
    return versions.includes(null) ? null : [...new Set(versions)].sort().join(' and ') || null;
  }

  get activities(): DeployActivities {
    return {
      makePlan: async (request) => this.plan(request),
      claimTarget: (input) =>
        this.act('claimTarget', () => {
          this.fence = Math.max(this.fence, input.writer.fence);
        }),
      buildRelease: ({ writer, release }) => this.write('buildRelease', writer, `build ${release.version}`),
      fetchRelease: () => this.act('fetchRelease'),
      runCommand: ({ command, writer }) => this.write('runCommand', writer, command.join(' ')),
      callHttp: ({ request }) => this.act('callHttp', () => this.effects.push(`http ${request.url}`)),
      backUp: ({ writer }) => this.write('backUp', writer, 'backup'),
      migrateUp: ({ pending, writer }) =>
        this.write('migrateUp', writer, `migrate up ${pending.join(' ')}`, () => {
          this.migrations = { ...this.migrations, applied: [...this.migrations.applied, ...pending], pending: [] };
        }),
      migrateDown: ({ to, writer }) =>
        this.write('migrateDown', writer, `migrate down to ${to.join(' ')}`, () => {
          const pending = this.migrations.applied.filter((revision) => !to.includes(revision));
          this.migrations = { ...this.migrations, applied: to, pending };
        }),
      startInstance: ({ slot, instance, writer }) =>
        this.write('startInstance', writer, `start ${instance.release.version} in ${slot}`, () => {
          const { version } = instance.release;
          if (this.badStarts.has(`${version} in ${slot}`)) throw ApplicationFailure.nonRetryable('it broke', 'Broken');
          this.slots[slot] = { release: version, port: instance.port, running: true };
        }),
      probeInstance: ({ slot }) =>
        this.act('probeInstance', () => {
          if (!this.slots[slot]?.running)
            throw ApplicationFailure.nonRetryable(`${slot} does not answer`, 'ProbeFailed');
          this.effects.push(`probe ${slot}`);
        }),
      smokeTest: ({ at }) => this.act('smokeTest', () => this.effects.push(`smoke ${at}`)),
      shiftTraffic: ({ weights, writer }) =>
        this.write('shiftTraffic', writer, `shift to ${describeShares(weights)}`, () => {
          this.weights = weights;
        }),
      watchTraffic: async () => {
        await this.act('watchTraffic');
        return this.verdict;
      },
      drainInstance: ({ slot }) => this.act('drainInstance', () => this.effects.push(`drain ${slot}`)),
      stopInstance: ({ slot, writer }) =>
        this.write('stopInstance', writer, `stop ${slot}`, () => {
          this.slots[slot] = null;
        }),
      recordRelease: ({ release, weights, previous, writer }) =>
        this.write('recordRelease', writer, `confirm ${release.version}`, () => {
          this.record = { confirmed: { release, weights }, previous };
        }),
      pruneReleases: () => this.act('pruneReleases'),
      openReceipt: ({ writer }) =>
        this.act('openReceipt', () => {
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
      instances: { kind: 'process', options: {} },
      traffic: this.proxy ? { kind: 'caddy', options: {} } : null,
      metrics: null,
      folder: '/state',
      ports: this.ports,
      secrets: [],
      hidden: [],
    };
  }

  /** What planning a runbook looks at here; the same world behind every target. */
  inputs({ runbook, environment, version }: Omit<PlanRequest, 'folder' | 'intent'>): [PlanInput, ...PlanInput[]] {
    const { releases, slots, record, approvers } = this;
    const release = version !== null && releases.includes(version) ? this.release(version) : null;
    const seen = { releases, release, slots, record, claimed: this.fence > 0, trafficMissing: [], notices: [] };
    const [first, ...others] = targetsOf(runbook).map(({ name, ...how }): PlanInput => {
      const observed = {
        ...seen,
        weights: this.proxy ? this.weights : null,
        migrations: runbook.migrate ? this.migrations : null,
      };
      return { ...how, runbook, environment, target: this.target(name), approvers, observed, releaseOf: this.release };
    });
    return [first!, ...others];
  }

  private async plan(request: PlanRequest) {
    await this.act('makePlan');
    const inputs = this.inputs(request);
    try {
      return withDigest(request.intent === 'deploy' ? planDeploy(inputs, request.version!) : planRollback(inputs));
    } catch (error) {
      if (error instanceof PlanRefused) throw ApplicationFailure.nonRetryable(error.message, error.type);
      throw error;
    }
  }

  private write(verb: Verb, writer: Writer, effect: string, change: () => void = () => {}): Promise<Evidence> {
    return this.act(verb, () => {
      if (writer.fence < this.fence)
        throw ApplicationFailure.nonRetryable('a newer deploy has taken this target', 'Fenced');
      this.effects.push(effect);
      change();
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
}

/** `green`, or `blue 90% green 10%`. */
function describeShares(weights: Weights): string {
  const shares = Object.entries(weights).filter(([, share]) => share > 0);
  if (shares.length === 1) return shares[0]![0];
  return shares.map(([slot, share]) => `${slot} ${Math.round(share * 100)}%`).join(' ');
}

import { ApplicationFailure } from '@temporalio/common';
import { withDigest } from '../../activities/plan/digest.ts';
import type { DeployActivities, Evidence, PlanRequest, Writer } from '../../workflows/ports.ts';
import type { Verdict } from '../../workflows/runbook/checks.ts';
import { planDeploy } from '../../workflows/runbook/make-plan.ts';
import type { InstanceState, MigrationState, ReleaseRecord } from '../../workflows/runbook/observed.ts';
import type { Slot, Target } from '../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../workflows/runbook/plan-refused.ts';
import { planRollback } from '../../workflows/runbook/plan-rollback.ts';

export type Verb = keyof DeployActivities;

/** A target that lives in memory and keeps its state, for tests of the workflow layer alone. */
export class FakeWorld {
  releases = ['1', '2', '3'];
  slots: Record<Slot, InstanceState | null> = { blue: null, green: null };
  weights: Record<Slot, number> = { blue: 1, green: 0 };
  record: ReleaseRecord | null = null;
  migrations: MigrationState = { applied: ['0001'], pending: [], reversible: true };
  approvers: Record<string, string[]> = {};
  fence = 0;
  verdict: Verdict = { word: 'passed', sentence: 'fine', measurement: null };
  proxy = true;
  /** Every effect, in order: what tests compare. */
  readonly effects: string[] = [];
  private readonly faults = new Map<Verb, { left: number; error: Error }>();
  private readonly gates = new Map<Verb, Promise<void>>();

  /** Version 1 confirmed and serving in blue. */
  static serving(version = '1'): FakeWorld {
    const world = new FakeWorld();
    world.slots.blue = { release: version, port: 4001, running: true };
    world.record = { confirmed: { release: world.release(version), slot: 'blue' }, previous: null };
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

  /** Version that users get, or null when nothing answers them. */
  get served(): string | null {
    const slot: Slot = this.weights.green > this.weights.blue ? 'green' : 'blue';
    const there = this.slots[slot];
    return there?.running ? there.release : null;
  }

  get activities(): DeployActivities {
    return {
      makePlan: async (request) => this.plan(request),
      claimTarget: (input) =>
        this.act('claimTarget', () => {
          this.fence = Math.max(this.fence, input.writer.fence);
        }),
      checkRelease: () => this.act('checkRelease'),
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
          this.slots[slot] = { release: instance.release.version, port: instance.port, running: true };
        }),
      probeInstance: ({ slot }) =>
        this.act('probeInstance', () => {
          if (!this.slots[slot]?.running)
            throw ApplicationFailure.nonRetryable(`${slot} does not answer`, 'ProbeFailed');
          this.effects.push(`probe ${slot}`);
        }),
      smokeTest: ({ at }) => this.act('smokeTest', () => this.effects.push(`smoke ${at}`)),
      shiftTraffic: ({ weights, writer }) =>
        this.write('shiftTraffic', writer, `shift to ${weights.green > weights.blue ? 'green' : 'blue'}`, () => {
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
      recordRelease: ({ release, slot, previous, writer }) =>
        this.write('recordRelease', writer, `confirm ${release.version}`, () => {
          this.record = { confirmed: { release, slot }, previous };
        }),
    };
  }

  target(): Target {
    return {
      name: 'web',
      host: { kind: 'local', options: {} },
      instances: { kind: 'process', options: {} },
      traffic: this.proxy ? { kind: 'caddy', options: {} } : null,
      folder: '/state',
      ports: { blue: 4001, green: 4002 },
      secrets: [],
    };
  }

  private async plan({ runbook, environment, version, intent }: PlanRequest) {
    await this.act('makePlan');
    const { releases, slots, record, migrations, approvers } = this;
    const weights = this.proxy ? this.weights : null;
    const observed = { releases, slots, weights, record, migrations, trafficMissing: [] };
    const releaseFolder = (wanted: string) => `/releases/${wanted}`;
    const input = { runbook, environment, target: this.target(), approvers, observed, releaseFolder };
    try {
      return withDigest(intent === 'deploy' ? planDeploy(input, version!) : planRollback(input));
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

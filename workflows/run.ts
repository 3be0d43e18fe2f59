import {
  CancellationScope,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeployRequest } from './messages.ts';
import { searchAttributes } from './messages.ts';
import type { Evidence, Writer } from './ports.ts';
import { harmless } from './runbook/actions.ts';
import { clip } from './runbook/clip.ts';
import { describeStatus } from './runbook/describe-status.ts';
import type { HostName, Plan, SetAside, Step, Target } from './runbook/plan.ts';
import type { OpenHold, Outcome, RunState, RunStatus, StepState, StepStatus } from './runbook/status.ts';

/** As the timeline shows them. */
const longestNote = 150;

/** Of a machine among all targets. */
const keyOf = (target: string, host: HostName): string => `${target}/${host}`;

/** What one deploy knows of itself: its plan, its status for people, and the undos to walk if it has to go back. */
export class Run {
  readonly status: RunStatus;
  plan: Plan | null = null;
  /** Steps whose undo is registered, oldest first. */
  readonly undos: Step[] = [];
  /** Ids of the steps that were begun; an undo may be unsafe once a later one was. */
  readonly begun = new Set<string>();
  /** Machines set aside whose share others have by now. */
  private readonly leftOut = new Set<string>();
  private readonly notes: Promise<void>[] = [];
  private readonly stuck = new Set<string>();
  /** The point of no return lies behind: nothing is taken back from here on. */
  confirmed = false;

  constructor(request: DeployRequest) {
    this.status = {
      service: request.runbook.service,
      environment: request.environment,
      intent: request.intent,
      release: request.version,
      from: null,
      startedBy: request.by,
      startedAt: Date.now(),
      endedAt: null,
      state: 'planning',
      outcome: null,
      sentence: 'Looking at the target and making the plan',
      digest: null,
      strategy: null,
      notices: [],
      wayBack: null,
      changed: false,
      steps: [],
      decisions: [],
      hold: null,
      paused: null,
      receipt: null,
      aside: [],
    };
  }

  adopt(plan: Plan): void {
    this.plan = plan;
    this.status.aside = plan.aside;
    Object.assign(this.status, {
      release: plan.release.version,
      from: plan.from,
      digest: plan.digest,
      strategy: plan.strategy,
      notices: plan.notices,
      wayBack: plan.wayBack.sentence,
      steps: plan.steps.map(({ id, phase, sentence }) => ({ id, phase, sentence, state: 'pending' as const })),
    });
    this.enter('running', `Walking the plan ${plan.digest.slice(0, 19)}`);
  }

  /** Marks a step, and everything that people see of it. */
  mark(step: Step, state: StepState, more: Partial<StepStatus> = {}): void {
    const line = this.line(step.id);
    Object.assign(line, { state }, more);
    if (state === 'running') line.startedAt ??= Date.now();
    if (state === 'done' || state === 'failed' || state === 'skipped') line.endedAt = Date.now();
    if (this.status.state === 'running') this.status.sentence = line.sentence;
    this.show();
  }

  evidence(step: Step, evidence: Evidence): void {
    const line = this.line(step.id);
    line.evidence = { ...line.evidence, ...evidence };
  }

  line(id: string): StepStatus {
    const line = this.status.steps.find((candidate) => candidate.id === id);
    if (!line) throw new TypeError(`the plan has no step ${id}`);
    return line;
  }

  /** Machines that the run goes on without, and why. */
  asideOf({ name }: Target): ReadonlyMap<HostName, string> {
    const own = this.status.aside.filter(({ target }) => target === name);
    return new Map(own.map(({ host, why }) => [host, why]));
  }

  /** An undo has failed on this machine: it is asked no more. */
  leaveStuck({ name }: Target, host: HostName): void {
    this.stuck.add(keyOf(name, host));
  }

  isStuck({ name }: Target, host: HostName): boolean {
    return this.stuck.has(keyOf(name, host));
  }

  setAside(one: SetAside): void {
    const others = this.status.aside.filter(({ target, host }) => target !== one.target || host !== one.host);
    if (others.length === this.status.aside.length) {
      this.note(clip(`${one.host} is set aside: ${one.why}`, longestNote));
    }
    this.status.aside = [...others, one];
  }

  takeBack({ name }: Target, host: HostName): void {
    this.status.aside = this.status.aside.filter((one) => one.target !== name || one.host !== host);
    this.leftOut.delete(keyOf(name, host));
  }

  leaveOut({ name }: Target, host: HostName): void {
    this.leftOut.add(keyOf(name, host));
  }

  isLeftOut({ name }: Target, host: HostName): boolean {
    return this.leftOut.has(keyOf(name, host));
  }

  /** Before the step runs, so that a step that half happened is taken back as well. */
  begin(step: Step): void {
    this.begun.add(step.id);
    if (!harmless.has(step.action.kind)) this.status.changed = true;
    if (step.undo && !this.undos.includes(step)) this.undos.push(step);
  }

  open(hold: OpenHold): void {
    this.status.hold = hold;
    this.enter('waiting', hold.ask);
  }

  close(): void {
    this.status.hold = null;
    if (this.status.state === 'waiting') this.enter('running', 'Going on');
  }

  enter(state: RunState, sentence: string): void {
    if (this.status.state !== state) upsertSearchAttributes([{ key: searchAttributes.outcome, value: state }]);
    Object.assign(this.status, { state, sentence });
    this.show();
  }

  end(outcome: Outcome, sentence: string): RunStatus {
    Object.assign(this.status, { state: 'ended', outcome, sentence, endedAt: Date.now(), hold: null, paused: null });
    upsertSearchAttributes([
      { key: searchAttributes.outcome, value: outcome },
      ...(this.status.release ? [{ key: searchAttributes.release, value: this.status.release }] : []),
    ]);
    this.show();
    return this.status;
  }

  /**
   * Who writes at the target. The key is the same for every attempt of the same try of a step, whatever worker
   * makes it; the fence grows with every run of this workflow id and is the same on every replay.
   */
  writer(step: Step, attempt: string): Writer {
    return this.writerOf(step.id, attempt);
  }

  writerOf(stepId: string, attempt: string): Writer {
    const { workflowId, runStartTime } = workflowInfo();
    const fence = runStartTime.getTime();
    return {
      fence,
      key: `${workflowId}|${fence}|${this.plan?.digest}|${stepId}|${attempt}`,
      deploy: workflowId,
    };
  }

  /**
   * A line in the timeline that carries a sentence: signals show there by name alone, this says who and why. It is a
   * timer that only the end waits for, since a server may take a second to fire the shortest one.
   */
  note(sentence: string): void {
    this.notes.push(CancellationScope.nonCancellable(() => sleep(1, { summary: sentence.slice(0, 200) })));
  }

  /** All notes stand in the timeline as done. */
  async noted(): Promise<void> {
    await Promise.all(this.notes);
  }

  private show(): void {
    setCurrentDetails(describeStatus(this.status));
  }
}

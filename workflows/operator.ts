import {
  type CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { type Message, type Verb, verbs } from './messages.ts';
import { readMessage } from './read-message.ts';
import type { Run } from './run.ts';
import { whyRefused } from './why-refused.ts';

/** An answer that counts. */
export interface Answer {
  verb: Verb;
  by: string;
  reason: string | null;
}

/** People, as one state object: what they decided, whether they paused, whether they stopped the run. */
export class Operator {
  /** To the open hold. */
  answer: Answer | null = null;
  /** `abort`, `rollback` or `supersede`: the walk forward ends. */
  stop: Answer | null = null;
  /** Steps to leave out, by id, with who said so. */
  readonly skips = new Map<string, Answer>();
  private readonly run: Run;
  private readonly forward: CancellationScope;

  constructor(run: Run, forward: CancellationScope) {
    this.run = run;
    this.forward = forward;
    for (const verb of verbs) {
      setHandler(defineSignal<[unknown?]>(verb), (payload) => this.receive(verb, payload), {
        description: descriptions[verb],
      });
    }
    setDefaultSignalHandler((name, payload) => this.refuseUnknown(name, payload));
  }

  /** Blocks while the run is paused. */
  async ready(): Promise<void> {
    const { paused } = this.run.status;
    if (!paused) return;
    this.run.enter('paused', `Paused by ${paused.by}${paused.reason ? `: ${paused.reason}` : ''}`);
    await condition(() => this.run.status.paused === null, foreverMs, { summary: this.run.status.sentence });
    this.run.enter('running', 'Resumed');
  }

  /** Waits for an answer to the open hold; null once it has expired. */
  async answered(expiresMs: number | null, summary: string): Promise<Answer | null> {
    this.answer = null;
    await condition(() => this.answer !== null, expiresMs ?? foreverMs, { summary });
    const { answer } = this;
    this.answer = null;
    return answer;
  }

  /** From here on nothing is taken back. Throws when somebody stopped the run just before. */
  passPointOfNoReturn(): void {
    if (this.stop) throw new CancelledFailure(`${this.stop.verb} by ${this.stop.by}`);
    this.run.confirmed = true;
    this.run.undos.length = 0;
  }

  private receive(verb: Verb, payload: unknown): void {
    const message = readMessage(payload);
    const refusal = whyRefused(verb, message, this.run, this);
    this.record(verb, message, refusal);
    if (refusal === null) this.act({ verb, by: message.by!, reason: message.reason ?? null }, message);
  }

  private act(answer: Answer, message: Message): void {
    const { status } = this.run;
    switch (answer.verb) {
      case 'approve':
      case 'reject':
      case 'retry':
        this.answer = answer;
        return;
      case 'skip':
        if (status.hold?.step === message.step) this.answer = answer;
        else this.skips.set(message.step!, answer);
        return;
      case 'pause':
        status.paused = { by: answer.by, reason: answer.reason };
        return;
      case 'resume':
        status.paused = null;
        return;
      default:
        this.stop = answer;
        this.run.close();
        this.forward.cancel();
    }
  }

  private refuseUnknown(name: string, payload: unknown): void {
    this.record(name, readMessage(payload), `there is no signal ${name}; there are ${verbs.join(', ')}`);
  }

  /** Told in the timeline as well; the limit keeps a flood of signals from filling the history. */
  private record(verb: string, message: Message, refusal: string | null): void {
    const { by = null, step = null, reason = null } = message;
    const { decisions } = this.run.status;
    if (decisions.length >= (refusal === null ? mostDecisions.all : mostDecisions.refused)) return;
    decisions.push({ at: Date.now(), verb, by, step, reason, accepted: refusal === null, refusal });
    const told = `${verb}${step ? ` ${step}` : ''} by ${by ?? 'nobody named'}${reason ? `: ${reason}` : ''}`;
    this.run.note(refusal === null ? told : `Refused: ${told} (${refusal})`);
  }
}

const mostDecisions = { refused: 100, all: 300 };

/** Timers carry the sentence that the timeline shows of a wait, so a wait without an end is a very long one. */
const foreverMs = 10 * 365 * 86_400_000;

const descriptions: Record<Verb, string> = {
  approve: 'Answer the open hold with yes: { plan, step, by, reason }',
  reject: 'Answer the open hold with no, which rolls back: { plan, step, by, reason }',
  pause: 'Stop before the next step: { by, reason }',
  resume: 'Go on after a pause: { by, reason }',
  retry: 'Try the failed step again: { step, by, reason }',
  skip: 'Leave out a step that the runbook allows to skip: { step, by, reason }',
  abort: 'Stop and take everything back: { by, reason }',
  rollback: 'Go back to the version before: { by, reason }',
  supersede: 'Give way to a newer deploy, while nothing has been changed: { by, reason }',
};

import type { Client } from '@temporalio/client';
import { type Message, planQuery, statusQuery, type Verb } from '../../workflows/messages.ts';
import type { Plan } from '../../workflows/runbook/plan.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';

/** One run, as a client sees it. */
export class RunningDeploy {
  readonly client: Client;
  readonly workflowId: string;
  readonly runId: string;

  constructor(client: Client, workflowId: string, runId: string) {
    this.client = client;
    this.workflowId = workflowId;
    this.runId = runId;
  }

  get handle() {
    return this.client.workflow.getHandle(this.workflowId, this.runId);
  }

  status(): Promise<RunStatus> {
    return this.handle.query<RunStatus>(statusQuery);
  }

  plan(): Promise<Plan | null> {
    return this.handle.query<Plan | null>(planQuery);
  }

  /** Until the run is as wanted; the test's own timeout bounds it. */
  async until(wanted: (status: RunStatus) => boolean): Promise<RunStatus> {
    for (;;) {
      const status = await this.status();
      if (wanted(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  asks(step: string): Promise<RunStatus> {
    return this.until(({ hold }) => hold?.step === step);
  }

  send(verb: Verb | string, payload?: unknown): Promise<void> {
    return this.handle.signal(verb, ...(payload === undefined ? [] : [payload]));
  }

  /** Answers the open hold as someone who read the plan. */
  async answer(verb: Verb, by = 'ben', more: Message = {}): Promise<void> {
    const { hold, digest } = await this.until((status) => status.hold !== null);
    await this.send(verb, { plan: digest, step: hold!.step, by, ...more });
  }

  /** The end, however it came: a failed run carries its status too. */
  async end(): Promise<RunStatus> {
    await this.handle.result().catch(() => {});
    return this.status();
  }

  /** The sentences that the Temporal UI shows in the run's timeline: summaries of activities and timers. */
  async timeline(): Promise<string[]> {
    const { events } = await this.handle.fetchHistory();
    const summaries = (events ?? []).map(({ userMetadata }) => userMetadata?.summary?.data);
    return summaries.flatMap((data) => (data ? [JSON.parse(Buffer.from(data).toString('utf8'))] : []));
  }

  /** Every byte of the history that could hold text: payloads decoded, failures included. */
  async rawHistory(): Promise<string> {
    const history = await this.handle.fetchHistory();
    return JSON.stringify(history, (_key, value) =>
      value instanceof Uint8Array || value?.type === 'Buffer'
        ? Buffer.from(value.data ?? value).toString('utf8')
        : value,
    );
  }
}

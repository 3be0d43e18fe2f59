import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { deployId, statusQuery } from '../workflows/messages.ts';
import type { RunStatus } from '../workflows/runbook/status.ts';

const started = 2; // temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
const workflowTasks = 1;

class EndedEarly extends Error {}

/** One deploy, asked at Temporal itself: what the demo says is what was seen there. */
export interface RunOf {
  handle: WorkflowHandle;
  runId: string;
}

export class Runs {
  private readonly connection: Connection;
  private readonly client: Client;

  constructor(address: string) {
    this.connection = Connection.lazy({ address });
    this.client = new Client({ connection: this.connection });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** Returns once a worker asks for work. */
  async untilWorker(): Promise<void> {
    const taskQueue = { name: 'holdpoint', kind: 1 };
    const request = { namespace: 'default', taskQueue, taskQueueType: workflowTasks };
    await until('a worker', 30_000, async () => {
      const { pollers } = await this.connection.workflowService.describeTaskQueue(request);
      return pollers?.length ? true : null;
    });
  }

  /** The run that is newer than `before`. */
  newest(before: string | null): Promise<RunOf> {
    const id = deployId('local', 'shop');
    return until('the deploy', 30_000, async () => {
      const { runId } = await this.client.workflow.getHandle(id).describe();
      return runId === before ? null : { handle: this.client.workflow.getHandle(id, runId), runId };
    });
  }

  /** Returns once this question is open. Throws where the deploy ends before. */
  untilHold(run: RunOf, step: string): Promise<RunStatus> {
    return this.untilStatus(run, `the question ${step}`, ({ hold }) => hold?.step === step);
  }

  /** Returns once this step is done. Throws where the deploy ends before. */
  untilDone(run: RunOf, step: string): Promise<RunStatus> {
    return this.untilStatus(run, step, ({ steps }) => steps.some(({ id, state }) => id === step && state === 'done'));
  }

  private untilStatus({ handle }: RunOf, what: string, isThere: (status: RunStatus) => boolean): Promise<RunStatus> {
    return until(what, 120_000, async () => {
      const status = await handle.query<RunStatus>(statusQuery);
      if (isThere(status)) return status;
      if (status.outcome) throw new EndedEarly(`the deploy has ended (${status.outcome}): ${status.sentence}`);
      return null;
    });
  }

  /** Which attempt of the activity runs now. */
  async attemptOf({ handle }: RunOf, activity: string): Promise<number | null> {
    const { raw } = await handle.describe();
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === activity);
    return pending?.state === started ? (pending.attempt ?? null) : null;
  }
}

/** Asks until there is an answer. What goes wrong meanwhile counts as none. Throws what was waited for. */
export async function until<T>(what: string, patienceMs: number, ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  let last = '';
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      if (error instanceof EndedEarly) throw error;
      last = `: ${(error as Error).message}`;
    }
    await sleep(50);
  }
  throw new Error(`waited ${patienceMs / 1_000} s for ${what} in vain${last}`);
}

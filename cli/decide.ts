import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Message, Verb } from '../workflows/messages.ts';
import type { DecisionRecord, RunStatus } from '../workflows/runbook/status.ts';
import { exitCodes } from './exit-codes.ts';
import { type CommonOptions, whoIs } from './options.ts';
import { Problem } from './problem.ts';
import type { Session } from './temporal/connect.ts';
import { findRun, lookForRun, type Run, readStatus } from './temporal/runs.ts';
import { noWorker } from './temporal/workers.ts';

export interface DecideOptions extends CommonOptions {
  step?: string;
  plan?: string;
  reason?: string;
}

/** What was sent to which run, and the run's own answer. */
export interface Decided {
  run: Run;
  message: Message;
  /** How it stood when the decision was made; null where no worker answered. */
  before: RunStatus | null;
  decision: DecisionRecord;
}

/** How long to wait for the run to say whether a decision counts. */
const answerMs = 5_000;

/**
 * Sends a decision and waits up to 5 s for the run's answer. The signal is durable from the moment it is sent.
 * Throws a `Problem` where it was refused, nothing runs, or nobody answered in time.
 */
export async function decide(session: Session, verb: Verb, options: DecideOptions): Promise<Decided> {
  const run = await findRun(session, options);
  if (!run.open) throw nothingRuns(verb, options);
  const before = await readStatus(session, run);
  const message = toMessage(verb, options, run, before);
  await send(run, verb, message, options);
  const decision = await answerOf(session, run, verb, message.by!, before);
  if (!decision) throw noWorker(run.taskQueue, `The ${verb} is kept and will be judged when one is back.`);
  if (!decision.accepted) {
    throw new Problem(
      exitCodes.refused,
      `Refused: ${decision.refusal}.`,
      ['It stays in the history. How it stands: holdpoint status'],
      {
        decision,
      },
    );
  }
  return { run, message, before, decision };
}

/** Fills in what the person left out: the open question and the plan that is walked. */
export function toMessage(
  verb: Verb,
  options: DecideOptions,
  run: Pick<Run, 'runId'>,
  status: RunStatus | null,
): Message {
  const message: Message = { by: whoIs(options), run: run.runId };
  if (options.reason) message.reason = options.reason;
  const answers = verb === 'approve' || verb === 'reject';
  const hold = status?.hold?.kind === (answers ? 'decide' : 'failed') ? status.hold : null;
  const step = options.step ?? (answers || verb === 'retry' ? hold?.step : undefined);
  const plan = options.plan ?? (answers ? status?.digest : undefined);
  if (step) message.step = step;
  if (plan) message.plan = plan;
  if (answers && !(step && plan)) throw nothingAsked(verb, status);
  return message;
}

function nothingAsked(verb: Verb, status: RunStatus | null): Problem {
  if (!status) {
    return new Problem(exitCodes.noWorker, `No worker can say what there is to ${verb}, so nothing was sent.`, [
      'Start one:  holdpoint worker',
      `Or say what you mean; it is judged when a worker is back:  holdpoint ${verb} --plan … --step …`,
    ]);
  }
  const stands = status.hold ? `${status.hold.step} has failed: retry, skip or rollback` : status.sentence;
  return new Problem(exitCodes.refused, `There is nothing to ${verb} now: ${stands}.`, [
    'How it stands: holdpoint status',
  ]);
}

function nothingRuns(verb: Verb, options: CommonOptions): Problem {
  return new Problem(exitCodes.refused, `There is nothing to ${verb}: no deploy runs in ${options.environment}.`, [
    'What ran before: holdpoint history',
  ]);
}

async function send(run: Run, verb: Verb, message: Message, options: CommonOptions): Promise<void> {
  try {
    await run.handle.signal(verb, message);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw nothingRuns(verb, options);
    throw error;
  }
}

/** The run's record of this decision; null where it said nothing in time. */
async function answerOf(
  session: Session,
  run: Run,
  verb: Verb,
  by: string,
  before: RunStatus | null,
): Promise<DecisionRecord | null> {
  const known = before?.decisions.length ?? 0;
  const deadline = Date.now() + answerMs;
  while (Date.now() < deadline) {
    const now = (await lookForRun(session, run.workflowId, run.runId)) ?? run;
    const status = await readStatus(session, now);
    const record = status?.decisions.slice(known).find((one) => one.verb === verb && one.by === by);
    if (record) return record;
    await sleep(100);
  }
  return null;
}

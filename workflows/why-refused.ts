import { workflowInfo } from '@temporalio/workflow';
import type { Message, Verb } from './messages.ts';
import type { Run } from './run.ts';
import { namesPlan } from './runbook/names-plan.ts';

/**
 * Why a decision does not count, as a sentence for its sender; null when it does. A decision counts only from
 * someone allowed to make it, for exactly this plan, in time.
 */
export function whyRefused(verb: Verb, message: Message, run: Run, so: Decided): string | null {
  const { status } = run;
  if (status.state === 'ended') return 'this run has ended';
  if (!message.by) return 'it does not say who sends it: { "by": "…" }';
  return forAnotherRun(message) ?? forAnotherPlan(message, run) ?? rules[verb]({ message, run, so }) ?? null;
}

/** What people have decided so far. */
interface Decided {
  /** To the open hold, while the run has not yet gone on. */
  answer: object | null;
  /** Somebody has stopped the walk already. */
  stop: object | null;
}

interface Case {
  message: Message;
  run: Run;
  so: Decided;
}

const rules: Record<Verb, (situation: Case) => string | null> = {
  approve: answersHold,
  reject: answersHold,
  retry: ({ message, run, so }) => {
    const { hold } = run.status;
    if (so.answer) return 'it is answered already';
    if (hold?.kind !== 'failed') return 'no failed step waits for a decision';
    return message.step && message.step !== hold.step ? `${message.step} has not failed; ${hold.step} has` : null;
  },
  skip: ({ message, run }) => {
    const step = run.plan?.steps.find(({ id }) => id === message.step);
    if (!step) return `the plan has no step ${message.step ?? '(none named)'}`;
    if (!step.skippable) return `the runbook does not allow to skip ${step.id}`;
    if (!message.reason) return 'a skip needs a reason';
    const { state } = run.line(step.id);
    return ['done', 'skipped'].includes(state) ? `${step.id} is ${state} already` : null;
  },
  pause: ({ run }) => (run.status.paused ? `it is paused already, by ${run.status.paused.by}` : notGoingBack(run)),
  resume: ({ run }) => (run.status.paused ? null : 'it is not paused'),
  abort: stops,
  rollback: stops,
  supersede: (situation) => {
    const { status } = situation.run;
    if (status.changed) return 'it has changed something already: abort it, or wait for it';
    if (status.state !== 'waiting') return `it does not wait for anybody, it is ${status.state}`;
    return stops(situation);
  },
};

function answersHold({ message, run, so }: Case): string | null {
  const { hold, steps } = run.status;
  const meant = steps.find(({ id }) => id === message.step);
  if (hold?.kind !== 'decide')
    return meant ? `too late or too early: ${meant.id} is ${meant.state}` : 'nothing is asked now';
  if (so.answer) return `${hold.step} is answered already`;
  if (hold.until !== null && Date.now() >= hold.until) return `too late: ${hold.step} has expired`;
  if (!message.plan) return 'it does not say for which plan: { "plan": "sha256:…" }';
  if (!message.step) return `it does not say for which step: { "step": "${hold.step}" }`;
  if (message.step !== hold.step) return `${hold.step} is asked now, not ${message.step}`;
  if (hold.by.length > 0 && !hold.by.includes(message.by!)) {
    return `${message.by} may not answer this; ${hold.by.join(', ')} may`;
  }
  return null;
}

function stops({ run, so }: Case): string | null {
  if (run.status.intent === 'rollback') return 'a way back is not stopped half way: it asks nobody and ends by itself';
  if (run.confirmed) return 'it is confirmed already: `holdpoint rollback` once it has ended';
  return so.stop ? 'it is being stopped already' : notGoingBack(run);
}

function notGoingBack({ status }: Run): string | null {
  return status.state === 'rolling back' ? 'it is rolling back already' : null;
}

/** A reset replays old signals into the new run: an approval of then must not count now. */
function forAnotherRun({ run: meant }: Message): string | null {
  const { runId, originalExecutionRunId } = workflowInfo();
  if (meant !== undefined && meant !== runId) return `it is for another run (${meant})`;
  if (meant === undefined && runId !== originalExecutionRunId)
    return `this run was reset: name it { "run": "${runId}" }`;
  return null;
}

/** The whole digest, or its beginning; verbs that answer no question may leave it out. */
function forAnotherPlan({ plan: meant }: Message, { plan }: Run): string | null {
  if (meant === undefined) return null;
  if (plan && namesPlan(meant, plan.digest)) return null;
  return `it is for another plan (${meant.slice(0, 24)}); this one is ${plan?.digest.slice(0, 19) ?? 'not made yet'}`;
}

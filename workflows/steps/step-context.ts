import { activities, type Policy } from '../activity-proxies.ts';
import type { Operator } from '../operator.ts';
import type { DeployActivities, Evidence, Writer } from '../ports.ts';
import type { Run } from '../run.ts';
import { onlyHosts } from '../runbook/places.ts';
import type { Step, Target } from '../runbook/plan.ts';

/** What performing one action needs to know. */
export interface StepContext {
  run: Run;
  operator: Operator;
  step: Step;
  /** What the timeline shows: the step's sentence, or its undo's. */
  sentence: string;
  /** The step is being taken back. */
  undoing: boolean;
  target: Target;
  /** The target with the one machine on which things are done once. */
  home: Target;
  writer: Writer;
  /**
   * The activities under a retry policy, until the step's deadline. `words` are the timeline's for one that only
   * prepares the step; without them it shows the step's sentence, so that no sentence stands there twice.
   */
  activities(policy: Policy, words?: string): DeployActivities;
}

/** Performs one kind of action; what it returns is shown as the step's evidence. Runs again on a retry. */
export type Perform<A> = (action: A, context: StepContext) => Promise<Evidence>;

/** `purpose` tells a step's own work from its undo; `attempt` counts what people asked to try again. */
export function contextOf(
  run: Run,
  operator: Operator,
  step: Step,
  { purpose, attempt }: { purpose: 'do' | 'undo'; attempt: number },
): StepContext {
  const { targets, rollback } = run.plan!;
  const target = targets.find(({ name }) => name === step.target)!;
  const undoing = purpose === 'undo';
  const say = (words: string) => (undoing ? `Undo: ${words}` : words);
  const sentence = say(undoing ? step.undo!.sentence : step.sentence);
  const deadlineMs = purpose === 'do' ? step.deadlineMs : Math.max(rollback.deadlineMs, step.deadlineMs);
  return {
    run,
    operator,
    step,
    sentence,
    undoing,
    target,
    home: target.home === null ? target : onlyHosts(target, [target.home]),
    writer: run.writer(step, purpose === 'do' ? `${attempt}` : 'undo'),
    activities: (policy, words) =>
      activities(policy, deadlineMs, words === undefined ? sentence : say(words), Object.keys(target.hosts).length),
  };
}

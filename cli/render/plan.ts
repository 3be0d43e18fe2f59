import { describeMs } from '../../workflows/runbook/duration.ts';
import { type Plan, phases, type Step } from '../../workflows/runbook/plan.ts';
import { oneLine, type Paint } from './text.ts';

/** A plan for people: steps by phase, each with how it is undone; then what to know before saying yes. */
export function renderPlan(plan: Plan, paint: Paint, next: string): string {
  const versions = plan.from ? `${plan.from} → ${plan.release.version}` : `${plan.release.version} (first deploy)`;
  const what = plan.intent === 'rollback' ? 'Roll back' : 'Deploy';
  const blocks = [
    [
      `${paint('bold', `${what} ${plan.service} ${versions}`)} · ${plan.environment} · ${plan.strategy} · on ${plan.targets.map(({ name }) => name).join(', ')}`,
    ],
    ...phases.flatMap((phase) => {
      const steps = plan.steps.filter((step) => step.phase === phase);
      return steps.length > 0 ? [[paint('bold', phase), ...steps.flatMap((step) => stepLines(plan, step, paint))]] : [];
    }),
    ...(plan.notices.length > 0 ? [plan.notices.map((notice) => paint('yellow', `! ${oneLine(notice)}`))] : []),
    [
      wayBack(plan, paint),
      ...(plan.intent === 'rollback' ? [] : [afterFailure(plan)]),
      `plan ${plan.digest}`,
      paint('cyan', next),
    ],
  ];
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

function wayBack({ intent, wayBack: { possible, sentence } }: Plan, paint: Paint): string {
  if (intent === 'rollback') return oneLine(sentence);
  return `${possible ? 'way back' : paint('red', 'no way back')}: ${oneLine(sentence)}`;
}

function afterFailure({ rollback }: Plan): string {
  return rollback.automatic ? 'a failed step rolls back by itself' : 'a failed step waits for a person first';
}

function stepLines(plan: Plan, step: Step, paint: Paint): string[] {
  const hold = step.action.kind === 'hold' ? step.action : null;
  const lines = [
    `  ${hold ? paint('yellow', '‖') : '·'} ${oneLine(step.sentence)}${step.skippable ? '  (may be skipped)' : ''}`,
  ];
  if (hold) {
    const who = hold.by.length > 0 ? hold.by.join(', ') : 'anyone';
    const until =
      hold.expiresMs === null ? '' : `; without an answer in ${describeMs(hold.expiresMs)}: ${hold.otherwise}`;
    lines.push(paint('gray', `      answered by ${oneLine(who)}${until}`));
  }
  if (step.undo) {
    const until = step.undo.until ? plan.steps.find(({ id }) => id === step.undo?.until) : undefined;
    const limit = until ? ` (until: ${oneLine(until.sentence)})` : '';
    lines.push(paint('gray', `      back: ${oneLine(step.undo.sentence)}${limit}`));
  }
  return lines;
}

import { describeMs } from '../../workflows/runbook/duration.ts';
import { type Plan, phases, type Step } from '../../workflows/runbook/plan.ts';
import { asideLines, describeTargets, machines, toleratedLines } from './aside.ts';
import { fold, isFolded } from './fold.ts';
import { oneLine, type Paint } from './text.ts';

/** A plan for people: steps by phase, each with how it is undone; then what to know before saying yes. */
export function renderPlan(plan: Plan, paint: Paint, next: string): string {
  const blocks = [
    [`${paint('bold', title(plan))} · ${plan.environment} · ${plan.strategy} · on ${describeTargets(plan.targets)}`],
    ...(plan.aside.length > 0 ? [asideBlock(plan, paint)] : []),
    ...phases.flatMap((phase) => {
      const steps = plan.steps.filter((step) => step.phase === phase);
      return steps.length > 0 ? [[paint('bold', phase), ...phaseLines(plan, steps, paint)]] : [];
    }),
    ...(plan.notices.length > 0 ? [plan.notices.map((notice) => paint('yellow', `! ${oneLine(notice)}`))] : []),
    [
      wayBack(plan, paint),
      ...(plan.intent === 'deploy' ? [afterFailure(plan)] : []),
      ...toleratedLines(plan),
      `plan ${plan.digest}`,
      paint('cyan', next),
    ],
  ];
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

function title({ intent, service, from, release: { version } }: Plan): string {
  switch (intent) {
    case 'reconcile':
      return `Reconcile ${service} ${version}`;
    case 'rollback':
      return `Roll back ${service} ${from ? `${from} → ` : ''}${version}`;
    case 'deploy':
      return `Deploy ${service} ${from ? `${from} → ${version}` : `${version} (first deploy)`}`;
  }
}

function asideBlock({ aside, intent }: Plan, paint: Paint): string[] {
  const [are, it] = aside.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const goesOn = intent === 'deploy' ? 'the deploy goes on' : 'this goes on';
  return [
    paint('yellow', `! ${machines(aside.length)} ${are} set aside; ${goesOn} without ${it}:`),
    ...asideLines(aside).map((line) => `    ${line}`),
    `  Afterwards, once ${aside.length === 1 ? 'it answers' : 'they answer'}, \`holdpoint reconcile\` brings ${it} in line.`,
  ];
}

/** Of a fleet that is renewed in many batches the first steps and the last ones. */
function phaseLines(plan: Plan, steps: Step[], paint: Paint): string[] {
  const asked = ({ action }: Step) => action.kind === 'hold';
  return fold(steps, { kind: () => 'step', stays: asked, ends: 12 }).flatMap((item) =>
    isFolded(item)
      ? [paint('gray', `  … ${item.folded.length} more steps like these; --json has them all`)]
      : stepLines(plan, item, paint),
  );
}

function wayBack({ intent, wayBack: { possible, sentence } }: Plan, paint: Paint): string {
  if (intent !== 'deploy') return oneLine(sentence);
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

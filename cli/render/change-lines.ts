import type { StepStatus } from '../../workflows/runbook/status.ts';
import { type Change, isGoingBack } from './changes.ts';
import { describeFindings } from './evidence.ts';
import { shortDigest } from './headline.ts';
import { commands } from './hold.ts';
import { outcomeSymbols, stepSymbols } from './symbols.ts';
import { oneLine, type Paint } from './text.ts';
import { clock, took } from './time.ts';

/** A change as a line with its time, and a few below it where a person has to act. */
export function renderChange(change: Change, sameRun: string, paint: Paint): string[] {
  const [first, ...rest] = linesOf(change, sameRun, paint);
  return [`${paint('gray', clock(change.at))}  ${first}`, ...rest.map((line) => `          ${line}`)];
}

function linesOf(change: Change, sameRun: string, paint: Paint): [string, ...string[]] {
  switch (change.change) {
    case 'planned':
      return planned(change, paint);
    case 'state':
      return [`${paint('yellow', change.state)}  ${oneLine(change.sentence)}`];
    case 'step':
      return step(change.step, paint);
    case 'hold': {
      const who = change.hold.by.length > 0 ? `  (${change.hold.by.map(oneLine).join(', ')})` : '';
      const answers = commands(change.hold, sameRun, shortDigest(change.digest));
      return [
        `${paint('yellow', '‖')} ${oneLine(change.hold.ask)}${who}`,
        ...answers.map(([command]) => paint('cyan', command)),
      ];
    }
    case 'decision': {
      const { verb, by, step, reason, accepted, refusal } = change.decision;
      const said = `${verb}${step ? ` ${oneLine(step)}` : ''} by ${oneLine(by ?? 'nobody named')}`;
      const why = reason ? `: ${oneLine(reason)}` : '';
      return [accepted ? `${said}${why}` : `${paint('red', 'refused')} ${said}${why}; ${oneLine(refusal ?? '')}`];
    }
    case 'ended': {
      const { symbol, colour } = outcomeSymbols[change.outcome];
      return [`${paint(colour, `${symbol} ${change.outcome}`)}  ${oneLine(change.sentence)}`];
    }
  }
}

function planned(change: Extract<Change, { change: 'planned' }>, paint: Paint): [string, ...string[]] {
  const versions = [change.from, change.release].filter(Boolean).join(' → ');
  return [
    `plan ${shortDigest(change.digest)}: ${versions}, ${change.steps} steps`,
    ...change.notices.map((notice) => paint('yellow', `! ${oneLine(notice)}`)),
    ...(change.wayBack ? [`way back: ${oneLine(change.wayBack)}`] : []),
  ];
}

function step(step: StepStatus, paint: Paint): [string] {
  const { symbol, colour } = stepSymbols[step.state];
  const back = isGoingBack(step);
  const ended = !back && step.endedAt !== undefined && step.startedAt !== undefined;
  const more = [
    ended ? took(step.endedAt! - step.startedAt!) : '',
    step.state === 'done' ? describeFindings(step) : '',
    oneLine(step.note ?? ''),
  ].filter(Boolean);
  const word = step.state === 'running' || step.state === 'done' ? '' : `${step.state}: `;
  const text = oneLine(back && step.undo ? step.undo : step.sentence);
  return [`${paint(colour, symbol)} ${step.id}  ${word}${text}${more.length > 0 ? `  (${more.join('; ')})` : ''}`];
}

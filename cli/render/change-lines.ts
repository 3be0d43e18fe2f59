import type { StepStatus } from '../../workflows/runbook/status.ts';
import { asideLines, countAside, hostNames, machines } from './aside.ts';
import { type Change, isGoingBack } from './changes.ts';
import { describeFindings } from './evidence.ts';
import { shortDigest, versionsOf } from './headline.ts';
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
    case 'aside':
      return asideOf(change, sameRun, paint);
    case 'ended': {
      const { symbol, colour } = outcomeSymbols[change.outcome];
      const aside = countAside(change.aside);
      const without = aside ? paint('yellow', `, ${aside}`) : '';
      return [`${paint(colour, `${symbol} ${change.outcome}`)}${without}  ${oneLine(change.sentence)}`];
    }
  }
}

function asideOf(
  { aside, back }: Extract<Change, { change: 'aside' }>,
  sameRun: string,
  paint: Paint,
): [string, ...string[]] {
  const again = hostNames(back.map(({ host }) => host));
  const returned = `${machines(back.length)} taken back: ${again}`;
  if (aside.length === 0) return [returned];
  return [
    paint('yellow', `! ${countAside(aside)}; the run goes on without ${aside.length === 1 ? 'it' : 'them'}:`),
    ...asideLines(aside),
    paint('cyan', `holdpoint reconcile${sameRun}`),
    ...(back.length > 0 ? [returned] : []),
  ];
}

function planned(change: Extract<Change, { change: 'planned' }>, paint: Paint): [string, ...string[]] {
  return [
    `plan ${shortDigest(change.digest)}: ${versionsOf(change)}, ${change.steps} steps`,
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

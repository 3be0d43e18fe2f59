import { phases } from '../../workflows/runbook/plan.ts';
import type { RunStatus, StepStatus } from '../../workflows/runbook/status.ts';
import { asideLines, machines } from './aside.ts';
import { describeFindings } from './evidence.ts';
import { fold, isFolded } from './fold.ts';
import { durationOf, sentenceOf, stateOf, subtitleOf } from './headline.ts';
import { renderHold } from './hold.ts';
import { describeReceipt } from './receipt.ts';
import { spinner, stepSymbols } from './symbols.ts';
import { fit, oneLine, type Paint } from './text.ts';
import { clock, took } from './time.ts';
import { isWorthReading } from './worth-reading.ts';

export interface TreeOptions {
  /** ms since the epoch. */
  now: number;
  /** Characters a line, and lines a screen; unlimited where left out. */
  columns?: number;
  rows?: number;
  paint: Paint;
  /** ` -e production`, or empty: what commands need to reach this run. */
  sameRun: string;
  /** Which picture of the spinner; none where left out. */
  frame?: number;
}

/** A run as a tree, phases over steps. With `rows`, finished phases shrink to a line until it fits. */
export function renderTree(status: RunStatus, options: TreeOptions): string[] {
  const head = heading(status, options);
  const foot = footing(status, options);
  const present = phases.filter((phase) => status.steps.some((step) => step.phase === phase));
  const folded = new Set<string>();
  const body = () =>
    present.flatMap((phase) => {
      const steps = status.steps.filter((step) => step.phase === phase);
      return folded.has(phase)
        ? [foldedPhase(phase, steps, options)]
        : [options.paint('bold', phase), ...phaseLines(steps, options)];
    });
  const room = (options.rows ?? Number.POSITIVE_INFINITY) - head.length - foot.length;
  let lines = body();
  for (const phase of foldable(status, present)) {
    if (lines.length <= room) break;
    folded.add(phase);
    lines = body();
  }
  return [...head, ...lines.slice(0, Math.max(0, room)), ...foot];
}

function heading(status: RunStatus, { now, paint, columns = 200 }: TreeOptions): string[] {
  const started = `started by ${oneLine(status.startedBy)} at ${clock(status.startedAt)}, ${durationOf(status, now)}`;
  return [
    `${paint('bold', fit(subtitleOf(status), columns - 20))}  ${stateOf(status, paint)}`,
    paint('gray', fit(started, columns)),
    ...status.notices.map((notice) => paint('yellow', fit(`! ${oneLine(notice)}`, columns))),
    '',
  ];
}

function footing(status: RunStatus, options: TreeOptions): string[] {
  const { paint, now, sameRun, columns = 10_000 } = options;
  const lines: string[] = [];
  if (status.hold) lines.push('', ...renderHold(status, status.hold, sameRun, now, paint));
  if (status.paused) {
    const why = status.paused.reason ? `: ${oneLine(status.paused.reason)}` : '';
    lines.push(
      '',
      `‖ paused by ${oneLine(status.paused.by)}${why}`,
      `  ${paint('cyan', `holdpoint resume${sameRun}`)}`,
    );
  }
  const refused = status.decisions.filter((decision) => !decision.accepted).at(-1);
  if (refused && status.state !== 'ended') {
    const said = `${refused.verb} by ${oneLine(refused.by ?? 'nobody named')} refused: ${oneLine(refused.refusal ?? '')}`;
    lines.push('', paint('gray', fit(said, columns)));
  }
  if (status.receipt) lines.push('', fit(describeReceipt(status.receipt), columns));
  lines.push(...asideBlock(status, options));
  if (!status.hold && !status.paused) lines.push('', fit(sentenceOf(status), columns));
  return lines;
}

/** Which machines the run goes on without, why, and what to do about it. */
function asideBlock({ aside }: RunStatus, { paint, sameRun, columns = 10_000 }: TreeOptions): string[] {
  if (aside.length === 0) return [];
  const are = `${machines(aside.length)} ${aside.length === 1 ? 'is' : 'are'} set aside`;
  return [
    '',
    paint('yellow', `! ${are}:`),
    ...asideLines(aside).map((line) => fit(`    ${line}`, columns)),
    `  ${paint('cyan', `holdpoint reconcile${sameRun}`)}  once ${aside.length === 1 ? 'it is' : 'they are'} well again`,
  ];
}

/** Of a long phase the middle of what is done, and of what is still to come, in a line each. */
function phaseLines(steps: StepStatus[], options: TreeOptions): string[] {
  const { paint } = options;
  return fold(steps, { kind: ({ state }) => state, stays: isWorthReading }).flatMap((item) => {
    if (!isFolded(item)) return stepLines(item, options);
    const { symbol, colour } = stepSymbols[item.folded[0]!.state];
    return [`  ${paint(colour, symbol)} ${paint('gray', `… ${item.folded.length} more steps; --json has them all`)}`];
  });
}

function stepLines(step: StepStatus, { now, paint, columns = 10_000, frame }: TreeOptions): string[] {
  const { symbol, colour } = stepSymbols[step.state];
  const turning = frame !== undefined && (step.state === 'running' || step.state === 'undoing');
  const mark = turning ? spinner[frame % spinner.length]! : symbol;
  const time = step.startedAt === undefined ? '' : took((step.endedAt ?? now) - step.startedAt);
  const sentence = fit(oneLine(step.sentence), columns - 5 - time.length);
  const line = `  ${paint(colour, mark)} ${step.state === 'pending' ? paint('gray', sentence) : sentence}`;
  const below = [
    describeFindings(step),
    oneLine(step.note ?? ''),
    step.undo && step.state !== 'done' ? `back: ${oneLine(step.undo)}` : '',
  ].filter(Boolean);
  return [
    time ? `${line}  ${paint('gray', time)}` : line,
    ...below.map((text) => paint('gray', `      ${fit(text, columns - 6)}`)),
  ];
}

function foldedPhase(phase: string, steps: StepStatus[], { paint }: TreeOptions): string {
  const [state] = steps.map((step) => step.state);
  const { symbol, colour } = stepSymbols[state ?? 'pending'];
  return `${paint('bold', phase)}  ${paint(colour, symbol)} ${paint('gray', `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`)}`;
}

/** Phases that may shrink: finished ones from the top, then ones that have not begun from the bottom. */
function foldable(status: RunStatus, present: readonly string[]): string[] {
  const all = (phase: string, ...states: string[]) =>
    status.steps.filter((step) => step.phase === phase).every((step) => states.includes(step.state));
  return [
    ...present.filter((phase) => all(phase, 'done', 'skipped')),
    ...present.filter((phase) => all(phase, 'pending')).reverse(),
  ];
}

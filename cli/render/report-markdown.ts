import type { StepStatus } from '../../workflows/runbook/status.ts';
import { describeFindings } from './evidence.ts';
import { fold, isFolded } from './fold.ts';
import { sentenceOf } from './headline.ts';
import { describeReceipt, receiptColumns, receiptRows } from './receipt.ts';
import {
  asideAdvice,
  asideColumns,
  asideRows,
  basicsOf,
  decisionColumns,
  decisionRows,
  durationOf,
  findingColumns,
  findingRows,
  foldedInReports,
  headlineOf,
  measuredColumns,
  measuredRows,
  moreSteps,
  type Report,
  stepsByPhase,
  undoneOf,
} from './report.ts';
import { stepSymbols } from './symbols.ts';
import { oneLine } from './text.ts';
import { utc } from './time.ts';

/** The report as GitHub-flavoured Markdown. Pure; all text from outside is escaped. */
export function reportMarkdown(report: Report): string {
  const { status } = report;
  const sections = [
    `# ${escaped(headlineOf(report))}`,
    `**${escaped(sentenceOf(status))}**`,
    table(['', ''], basicsOf(report)),
    section('Notices', status.notices.map((notice) => `- ${escaped(notice)}`).join('\n')),
    section('Machines set aside', machinesAside(report)),
    section(
      'Steps',
      stepsByPhase(status)
        .map(({ phase, steps }) => `### ${phase}\n\n${stepTable(steps)}`)
        .join('\n\n'),
    ),
    section('Findings', tableOf(findingColumns, findingRows(status))),
    section('Measured traffic', tableOf(measuredColumns, measuredRows(status))),
    section('Decisions', tableOf(decisionColumns, decisionRows(status))),
    section('Taken back', undone(report)),
    section('Receipt', receipt(report)),
    report.link && /^https?:\/\/[^\s<>]+$/.test(report.link) ? `[The run in the Temporal UI](<${report.link}>)` : '',
  ];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

function stepTable(steps: StepStatus[]): string {
  const rows = fold(steps, foldedInReports).map((item) => {
    if (isFolded(item)) return [...symbolAndText(item.folded[0]!, moreSteps(item.folded)), '', '', '', ''];
    return [
      ...symbolAndText(item, item.sentence),
      item.state,
      item.startedAt === undefined ? '' : utc(item.startedAt),
      durationOf(item),
      [describeFindings(item), item.note ?? ''].filter(Boolean).join('; '),
    ];
  });
  return table(['', 'Step', 'State', 'Started', 'Took', 'Seen'], rows);
}

const symbolAndText = ({ state }: StepStatus, text: string): string[] => [stepSymbols[state].symbol, text];

function machinesAside({ status }: Report): string {
  const rows = tableOf(asideColumns, asideRows(status));
  return rows && `${rows}\n\n${escaped(asideAdvice(status))}`;
}

/** Empty without rows. */
function tableOf(columns: string[], rows: string[][]): string {
  return rows.length > 0 ? table(columns, rows) : '';
}

function receipt({ status }: Report): string {
  if (!status.receipt) return '';
  const counted = tableOf(receiptColumns, receiptRows(status));
  return [escaped(describeReceipt(status.receipt)), counted].filter(Boolean).join('\n\n');
}

function undone({ status }: Report): string {
  return undoneOf(status)
    .map(
      (step) =>
        `- ${stepSymbols[step.state].symbol} ${step.state}: ${escaped(step.undo ?? step.sentence)}${noteOf(step)}`,
    )
    .join('\n');
}

const noteOf = (step: StepStatus) => (step.note ? ` (${escaped(step.note)})` : '');

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

/** Text that Markdown shows as it is: no markup, no HTML, no new cell or line. */
function escaped(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]<>#|~!]/g, '\\$&')
    .replaceAll('&', '&amp;');
}

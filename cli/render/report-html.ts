import type { RunStatus, StepStatus } from '../../workflows/runbook/status.ts';
import { describeFindings } from './evidence.ts';
import { fold, isFolded } from './fold.ts';
import { outcomeOf, sentenceOf, titleOf } from './headline.ts';
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
import { reportStyle } from './report-style.ts';
import { outcomeSymbols, stepSymbols } from './symbols.ts';
import { oneLine } from './text.ts';
import { utc } from './time.ts';

/** The report as one HTML file without scripts or anything to load. Pure; all text from outside is escaped. */
export function reportHtml(report: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(headlineOf(report))}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
${sectionsOf(report).filter(Boolean).join('\n')}
</main>
</body>
</html>
`;
}

function sectionsOf(report: Report): string[] {
  const { status } = report;
  return [
    header(status),
    basics(report),
    notices(status),
    table('Machines set aside', asideColumns, asideRows(status), [], asideAdvice(status)),
    steps(status),
    table('Findings', findingColumns, findingRows(status), findingClasses(status)),
    table('Measured traffic', measuredColumns, measuredRows(status)),
    decisions(status),
    undone(status),
    receipt(status),
    footer(report),
  ];
}

function header(status: RunStatus): string {
  const word = status.outcome ?? status.state;
  const symbol = status.outcome ? `${outcomeSymbols[status.outcome].symbol} ` : '';
  return `<header class="${className(word)}">
<p class="outcome">${symbol}${escaped(outcomeOf(status))}</p>
<h1>${escaped(titleOf(status))}</h1>
<p class="sentence">${escaped(sentenceOf(status))}</p>
</header>`;
}

function basics(report: Report): string {
  const rows = basicsOf(report).map(
    ([label, value]) =>
      `<div${value.length > 40 ? ' class="wide"' : ''}><dt>${escaped(label)}</dt><dd>${escaped(value)}</dd></div>`,
  );
  return `<dl class="basics">${rows.join('')}</dl>`;
}

function notices({ notices: all }: RunStatus): string {
  return all.length === 0
    ? ''
    : `<ul class="notices">${all.map((notice) => `<li>${escaped(notice)}</li>`).join('')}</ul>`;
}

function steps(status: RunStatus): string {
  if (status.steps.length === 0) return '';
  const rows = stepsByPhase(status).map(
    ({ phase, steps }) =>
      `<tbody><tr class="phase"><th colspan="4" scope="rowgroup">${escaped(phase)}</th></tr>${rowsOf(steps, status)}</tbody>`,
  );
  return `<section><h2>Steps</h2><table class="steps">
<thead><tr><th scope="col">Step</th><th scope="col">Started</th><th scope="col">Took</th><th scope="col" class="when">Timeline</th></tr></thead>
${rows.join('\n')}
</table></section>`;
}

function rowsOf(steps: StepStatus[], status: RunStatus): string {
  const row = (text: string) =>
    `<tr class="pending"><td colspan="4"><div class="step"><span class="mark">…</span><div>${escaped(text)}</div></div></td></tr>`;
  return fold(steps, foldedInReports)
    .map((item) => (isFolded(item) ? row(moreSteps(item.folded)) : stepRow(item, status)))
    .join('');
}

function stepRow(step: StepStatus, status: RunStatus): string {
  const below = [describeFindings(step), step.note ?? ''].filter(Boolean);
  const started = step.startedAt === undefined ? '' : utc(step.startedAt).slice(11, 19);
  return `<tr class="${className(step.state)}">
<td><div class="step"><span class="mark" title="${escaped(step.state)}">${stepSymbols[step.state].symbol}</span><div>${escaped(step.sentence)}${below.map((text) => `<small>${escaped(text)}</small>`).join('')}</div></div></td>
<td class="number">${started}</td><td class="number">${escaped(durationOf(step))}</td><td class="when">${bar(step, status)}</td>
</tr>`;
}

/** Where in the whole run the step ran; at least a sliver, so that a short step can be seen. */
function bar(step: StepStatus, status: RunStatus): string {
  if (step.startedAt === undefined) return '';
  const ends = status.steps.flatMap(({ startedAt, endedAt }) => endedAt ?? startedAt ?? []);
  const from = status.startedAt;
  const whole = Math.max(1, (status.endedAt ?? Math.max(...ends)) - from);
  const percent = (ms: number) => Math.min(100, Math.max(0, (ms / whole) * 100));
  const left = Math.min(percent(step.startedAt - from), 99.2);
  const width = Math.max(0.8, Math.min(percent((step.endedAt ?? from + whole) - step.startedAt), 100 - left));
  // A step that a person answered: what took so long was the wait.
  const asked = step.evidence?.approvedBy ? ' class="asked"' : '';
  return `<div class="track"><i style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"${asked}></i></div>`;
}

function findingClasses({ steps }: RunStatus): string[] {
  return steps.flatMap(({ verdict }) => (verdict?.findings ?? []).map(({ word }) => word));
}

function receipt(status: RunStatus): string {
  const sentence = status.receipt ? describeReceipt(status.receipt) : '';
  return table('Receipt', receiptColumns, receiptRows(status), [], sentence);
}

function decisions(status: RunStatus): string {
  const refused = status.decisions.map(({ accepted }) => (accepted ? '' : 'refused'));
  return table('Decisions', decisionColumns, decisionRows(status), refused);
}

function undone(status: RunStatus): string {
  const rows = undoneOf(status).map((step) => [step.state, step.undo ?? step.sentence, step.note ?? '']);
  return table('Taken back', ['', 'What', 'Note'], rows);
}

function footer({ link }: Report): string {
  const safe = link && /^https?:\/\//.test(link);
  return `<footer>${safe ? `<a href="${escaped(link)}">The run in the Temporal UI</a> · ` : ''}Written by Holdpoint</footer>`;
}

function table(title: string, head: string[], rows: string[][], classes: string[] = [], sentence = ''): string {
  if (rows.length === 0) return '';
  const cells = (row: string[], tag: string) => row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('');
  const body = rows.map((row, index) => `<tr class="${classes[index] ?? ''}">${cells(row, 'td')}</tr>`).join('\n');
  const said = sentence && `<p class="sentence">${escaped(sentence)}</p>`;
  return `<section><h2>${title}</h2>${said}<table class="${className(title.toLowerCase())}"><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table></section>`;
}

const className = (word: string) => word.replaceAll(' ', '-').replace(/[^a-z-]/g, '');

/** Text that HTML shows as it is, in content and in quoted attributes. */
function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

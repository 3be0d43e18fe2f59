import type { Result, Row } from './result.ts';

const width = 720;
const rowHeight = 46;
const margin = 16;
const top = 44;

/** Horizontal bars, one a row, a thin line on to the tail, a dashed line at the goal. Readable in light and dark. */
export function plotOf({ title, rows, goals, plot }: Result): string {
  const drawn = rows.filter((row) => typeof row[plot.figure] === 'number');
  const goal = goals.find(({ figure }) => figure === plot.figure || figure === plot.tail);
  const limit = goal?.atMost ?? goal?.atLeast;
  const largest = Math.max(limit ?? 0, ...drawn.flatMap((row) => [figureIn(row, plot.figure), tailIn(row, plot)]));
  const x = (value: number) => margin + (value / (largest * 1.02)) * (width - 2 * margin);
  const height = top + drawn.length * rowHeight + margin;
  const legend = `${plot.figure}${plot.tail ? `, thin line: ${plot.tail}` : ''}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    style,
    `<text class="title" x="${margin}" y="22">${escaped(title)}</text>`,
    `<text class="legend" x="${width - margin}" y="38" text-anchor="end">${escaped(legend)}</text>`,
    ...drawn.map((row, i) => bar(row, top + i * rowHeight, plot, x)),
    ...(limit === undefined ? [] : [goalLine(x(limit), limit, height)]),
    '</svg>\n',
  ].join('\n');
}

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px }
.legend { font-size: 11px; fill: #59636e } rect { fill: #0969da } .tail { stroke: #0969da; stroke-width: 2 }
.goal { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 4 3 } .goal-text { font-size: 11px; fill: #bc4c00 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .legend { fill: #9198a1 } rect { fill: #4493f8 }
.tail { stroke: #4493f8 } .goal { stroke: #f0883e } .goal-text { fill: #f0883e } }
</style>`;

function bar(row: Row, y: number, plot: Result['plot'], x: (value: number) => number): string {
  const value = figureIn(row, plot.figure);
  const tail = tailIn(row, plot);
  const middle = y + 28;
  const tailLine = `<line class="tail" x1="${x(value)}" y1="${middle}" x2="${x(tail)}" y2="${middle}"/>`;
  return [
    `<text x="${margin}" y="${y + 15}">${escaped(`${row.name}: ${value}`)}</text>`,
    `<rect x="${margin}" y="${y + 21}" width="${Math.max(1, x(value) - margin)}" height="14" rx="2"/>`,
    ...(tail > value ? [tailLine] : []),
  ].join('\n');
}

function goalLine(x: number, limit: number, height: number): string {
  const anchor = x > width / 2 ? 'end' : 'start';
  return [
    `<line class="goal" x1="${x}" y1="${top}" x2="${x}" y2="${height - margin + 2}"/>`,
    `<text class="goal-text" x="${x}" y="${height - 3}" text-anchor="${anchor}">goal ${limit}</text>`,
  ].join('\n');
}

const figureIn = (row: Row, figure: string) => Number(row[figure]);
const tailIn = (row: Row, { figure, tail }: Result['plot']) => Number(row[tail ?? figure] ?? row[figure]);
const escaped = (text: string) =>
  text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

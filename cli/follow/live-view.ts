import { stripVTControlCharacters } from 'node:util';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { fit, oneLine, type Paint } from '../render/text.ts';
import { renderTree } from '../render/tree.ts';
import type { Retry } from '../temporal/retries.ts';
import type { View } from './view.ts';

/** The part of a TTY that is used. */
export interface Screen {
  columns: number;
  rows: number;
  write(text: string): unknown;
}

const frameMs = 250;
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
/** Terminals that know this show a frame at once; the others ignore it. */
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';

/** The run as a tree, redrawn in place four times a second. */
export function createLiveView(screen: Screen, sameRun: string, paint: Paint, hint: string): View {
  let status: RunStatus | null = null;
  let trouble: string | null = null;
  let retry: Retry | null = null;
  let drawn = 0;
  let frame = 0;
  let closed = false;

  const draw = (last = false) => {
    if (closed || !status) return;
    const columns = screen.columns || 80;
    const below = last
      ? []
      : ['', ...againLine(retry, columns, paint), paint(trouble ? 'yellow' : 'gray', trouble ?? hint)];
    const options = { now: Date.now(), columns, paint, sameRun, ...(!last && { frame: frame++ }) };
    const rows = (screen.rows || 24) - below.length - 1;
    const lines = [...renderTree(status, last ? options : { ...options, rows }), ...below];
    const up = drawn > 0 ? `\u001b[${drawn}A\r` : '';
    const text = lines.map((line) => `${line}\u001b[K\n`).join('');
    screen.write(`${beginFrame}${hideCursor}${up}${text}\u001b[J${last ? showCursor : ''}${endFrame}`);
    drawn = lines.reduce((sum, line) => sum + rowsOf(line, columns), 0);
  };
  const timer = setInterval(draw, frameMs);
  const restore = () => screen.write(showCursor);
  process.once('exit', restore);

  return {
    show(next) {
      status = next;
    },
    trouble(sentence) {
      trouble = sentence;
    },
    retrying(next) {
      retry = next;
    },
    close() {
      clearInterval(timer);
      draw(true);
      closed = true;
      process.off('exit', restore);
    },
  };
}

function againLine(retry: Retry | null, columns: number, paint: Paint): string[] {
  if (!retry) return [];
  return [paint('yellow', fit(`Trying again (${retry.attempt}): ${oneLine(retry.message)}`, columns))];
}

/** A line that is wider than the screen takes more than one of its rows. */
function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil([...stripVTControlCharacters(line)].length / columns));
}

import type { RunStatus } from '../../workflows/runbook/status.ts';
import { renderChange } from '../render/change-lines.ts';
import { changesBetween } from '../render/changes.ts';
import { oneLine, type Paint } from '../render/text.ts';
import { clock } from '../render/time.ts';
import type { View } from './view.ts';

/** One line per change with its time: for logs, pipes and CI. */
export function createLineView(write: (line: string) => void, sameRun: string, paint: Paint): View {
  let before: RunStatus | null = null;
  let reason: string | null = null;
  let troubled: string | null = null;
  return {
    show(status) {
      for (const change of changesBetween(before, status, Date.now())) {
        for (const line of renderChange(change, sameRun, paint)) write(line);
      }
      before = status;
    },
    trouble(sentence) {
      if (sentence !== troubled) write(`${paint('gray', clock(Date.now()))}  ${sentence ?? 'answers again'}`);
      troubled = sentence;
    },
    retrying(retry) {
      const text = retry ? oneLine(retry.message) : null;
      if (text !== null && text !== reason)
        write(`${paint('gray', clock(Date.now()))}  ${paint('yellow', 'trying again')}: ${text}`);
      reason = text;
    },
    close() {},
  };
}

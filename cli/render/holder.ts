import type { RunStatus } from '../../workflows/runbook/status.ts';
import { durationOf, sentenceOf, shortDigest, titleOf } from './headline.ts';
import { commands } from './hold.ts';
import { oneLine } from './text.ts';
import { clock, dateAndClock, took } from './time.ts';

/** Who holds the lock, since when, where it stands, and what can be done. `status` null: no worker answers. */
export function renderHolder(
  status: RunStatus | null,
  startedAt: number | null,
  sameRun: string,
  now: number,
): { message: string; next: string[] } {
  const look = `Look at it:   holdpoint watch${sameRun}`;
  if (!status) {
    const since = startedAt === null ? '' : ` since ${dateAndClock(startedAt)}`;
    return {
      message: `Another deploy holds the lock${since}, and no worker answers for it.`,
      next: ['It goes on when a worker is back:  holdpoint worker', look],
    };
  }
  const who = `${oneLine(status.startedBy)} holds the lock since ${clock(status.startedAt)} (${durationOf(status, now)})`;
  const hold = status.hold
    ? [`It waits for an answer since ${took(now - status.hold.since)}: ${oneLine(status.hold.ask)}`]
    : [];
  const waits = status.state === 'waiting' && !status.changed;
  return {
    message: [
      `${who}: ${titleOf(status)} is ${status.state}.`,
      ...hold,
      ...(hold.length > 0 ? [] : [sentenceOf(status)]),
    ].join('\n'),
    next: [
      look,
      ...(status.hold
        ? commands(status.hold, sameRun, shortDigest(status.digest)).map(([command]) => `Answer it:    ${command}`)
        : []),
      ...(waits ? [`Take its place; it has changed nothing:   holdpoint deploy --supersede …${sameRun}`] : []),
      `Stop it:      holdpoint abort --reason '…'${sameRun}`,
    ],
  };
}

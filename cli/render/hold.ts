import type { OpenHold, RunStatus } from '../../workflows/runbook/status.ts';
import { shortDigest } from './headline.ts';
import { oneLine, type Paint } from './text.ts';
import { took } from './time.ts';

/** The open question, who may answer, until when, and the exact commands. `sameRun` is ` -e production` or empty. */
export function renderHold(status: RunStatus, hold: OpenHold, sameRun: string, now: number, paint: Paint): string[] {
  const who = hold.by.length > 0 ? `${hold.by.map(oneLine).join(', ')} may answer` : 'anyone may answer';
  const plan = shortDigest(status.digest);
  return [
    `${paint('yellow', '‖')} ${paint('bold', oneLine(hold.ask))}`,
    `  ${hold.step}, asked ${took(now - hold.since)} ago; ${who}${limit(hold, now)}`,
    ...commands(hold, sameRun, plan).map(([command, what]) => `  ${paint('cyan', command)}${what ? `  ${what}` : ''}`),
  ];
}

/** The commands that answer the question, best first. */
export function commands(hold: OpenHold, sameRun: string, plan: string | null): [string, string][] {
  const where = `--step ${hold.step}${sameRun}`;
  const pinned = plan ? `--plan ${plan} ${where}` : where;
  if (hold.kind === 'failed') {
    return [
      [`holdpoint retry ${hold.step}${sameRun}`, ''],
      [`holdpoint skip ${hold.step} --reason '…'${sameRun}`, 'where the runbook allows it'],
      [`holdpoint rollback --reason '…'${sameRun}`, ''],
    ];
  }
  return [
    [`holdpoint approve ${pinned}`, ''],
    [`holdpoint reject ${pinned} --reason '…'`, ''],
  ];
}

function limit(hold: OpenHold, now: number): string {
  if (hold.until === null) return '';
  const then = hold.otherwise === 'proceed' ? 'goes on without an answer' : 'rolls back without an answer';
  return `; ${then} in ${took(hold.until - now)}`;
}

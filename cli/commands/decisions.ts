import type { Verb } from '../../workflows/messages.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { sameRun } from '../command-line.ts';
import { type DecideOptions, decide } from '../decide.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { shortDigest, titleOf } from '../render/headline.ts';
import { oneLine, paintFor } from '../render/text.ts';
import { withSession } from '../temporal/connect.ts';
import { print, printJson } from '../terminal.ts';

/** Sends one decision about the running deploy, and says whether it counted. */
export async function decision(verb: Verb, options: DecideOptions): Promise<ExitCode> {
  const decided = await withSession(options, (session) => decide(session, verb, options));
  if (options.json) {
    printJson({ workflowId: decided.run.workflowId, runId: decided.run.runId, decision: decided.decision });
  } else {
    const paint = paintFor(process.stdout);
    print(`${paint('green', '✓')} ${said(verb, decided.before, decided.message.step)}`);
    print(paint('gray', `  Follow it: holdpoint watch${sameRun(options)}`));
  }
  return exitCodes.succeeded;
}

/** What has been decided, about which question of which plan. */
function said(verb: Verb, before: RunStatus | null, step: string | undefined): string {
  const past = { approve: 'Approved', reject: 'Rejected', retry: 'Retrying', skip: 'Skipping' }[verb as string];
  const what = before ? titleOf(before) : 'the deploy';
  if (!past) return `${{ pause: 'Paused', resume: 'Resumed', abort: 'Aborting' }[verb as string] ?? verb}: ${what}`;
  const question = before?.hold && before.hold.step === step ? `"${oneLine(before.hold.ask)}" (${step})` : step;
  return `${past} ${question}: ${what}, plan ${shortDigest(before?.digest ?? null) ?? 'unknown'}`;
}

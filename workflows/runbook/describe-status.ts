import { describeMs } from './duration.ts';
import type { RunStatus, StepState } from './status.ts';

const signs: Record<StepState, string> = {
  pending: '·',
  running: '▶',
  waiting: '⏸',
  done: '✓',
  failed: '✗',
  skipped: '⇥',
  undoing: '↩',
  undone: '↩',
  'undo failed': '‼',
  left: '=',
};

/** The run as Markdown for the Temporal UI's current details: where it stands, what it asks, what was done. */
export function describeStatus(status: RunStatus): string {
  const { service, release, environment, outcome, state, sentence, steps } = status;
  const head = `**${service} ${release ?? ''} → ${environment}: ${outcome ?? state}.** ${sentence}`;
  const rows = steps.map(({ state, id, sentence: what, startedAt, endedAt, note, undo }) => {
    const took = startedAt && endedAt ? describeMs(endedAt - startedAt) : '';
    return `| ${signs[state]} | \`${id}\` | ${cell(what)} | ${took} | ${cell(note ?? undo ?? '')} |`;
  });
  const table = rows.length > 0 ? ['|  | step | what | took | note |', '|--|--|--|--|--|', ...rows].join('\n') : '';
  return [head, howToAnswer(status), table].filter(Boolean).join('\n\n');
}

/** What to paste into the UI's signal form, for those who answer from there. */
function howToAnswer({ hold, digest }: RunStatus): string {
  if (!hold) return '';
  const verbs = hold.kind === 'decide' ? '`approve` or `reject`' : '`retry`, `skip` or `rollback`';
  const who = hold.by.length > 0 ? ` (may answer: ${hold.by.join(', ')})` : '';
  const payload = JSON.stringify({ plan: digest, step: hold.step, by: 'YOUR NAME', reason: 'WHY' });
  return `Signal ${verbs}${who} with \`${payload}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

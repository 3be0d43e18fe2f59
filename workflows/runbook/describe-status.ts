import { describeMs } from './duration.ts';
import type { RunStatus, StepState } from './status.ts';

const signs: Record<StepState, string> = {
  pending: '·',
  running: '▶',
  waiting: '‖',
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
  // One wide column: the UI gives the table half a page.
  const rows = steps.map(({ state, id, sentence: what, startedAt, endedAt, note, undo }) => {
    const took = startedAt && endedAt ? describeMs(endedAt - startedAt) : '';
    const more = note ?? undo;
    return `| ${signs[state]} | \`${id}\` | ${cell(what)}${more ? `: *${cell(more)}*` : ''} | ${took} |`;
  });
  const table = rows.length > 0 ? ['|  | step | what | took |', '|--|:--|:--|--:|', ...rows].join('\n') : '';
  return [head, howToAnswer(status), table].filter(Boolean).join('\n\n');
}

/** What to paste into the UI's signal form, for those who answer from there. */
function howToAnswer({ hold, digest }: RunStatus): string {
  if (!hold) return '';
  const verbs = hold.kind === 'decide' ? '`approve` or `reject`' : '`retry`, `skip` or `rollback`';
  const who = hold.by.length > 0 ? ` (may answer: ${hold.by.join(', ')})` : '';
  // As much of the digest as an answer needs.
  const plan = digest?.slice(0, 'sha256:'.length + 12);
  const payload = JSON.stringify({ plan, step: hold.step, by: 'YOUR NAME', reason: 'WHY' });
  return `Signal ${verbs}${who} with \`${payload}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
